"""What a hostile request is, what must become of it, and the words to write one."""

import base64
import dataclasses
import json
import random
import re

REFUSE, ACCEPT, EITHER, EARLY = "refuse", "accept", "either", "early"
# Stand for the lane's route and the proxy's port and are as long as these, so that lengths are right beforehand.
ROUTE, PORT = b"/~~", b"~~~~~"
HOST = b"127.0.0.1:" + PORT
# Values of fields that no proxy may pass on, and of those that this one promises to keep.
NEVER, STAYS = b"never-passes", b"stays-behind"
# What `body.max` is set to.
CONTENT_MAX = 65536
# Between two steps: the client waits until it has been told to go on, or has been answered.
UNTIL_TOLD = None
# What can be found of a request.
KINDS = ("two readings", "grammar", "forwarded", "refused", "altered", "poisoned", "credential", "hop-by-hop",
         "escaped", "late", "answer")


@dataclasses.dataclass
class Case:
    name: str
    steps: list
    expect: str
    # What must arrive, in order, as (method, path behind the base, content); None: whatever has one reading.
    forwarded: list = None
    # False: it is this proxy's promise. RFC 9112 lets a recipient repair what is refused here, or refuse what is not.
    everybody: bool = True
    # A rule of this proxy about who may call: peers are not set up for it.
    guard: bool = False
    # A bound of this proxy.
    bound: bool = False
    status: tuple = ()
    # Fields that must arrive as they are.
    fields: list = ()
    # Done to the first step once its length is final: (position, bytes dropped, bytes put there).
    edit: tuple = None
    # Where the first step is cut into separate writes; "all" cuts everywhere.
    cuts: object = ()
    # What is wrong may stand in a line without an end: the proxy may wait for that while the client stays.
    may_wait: bool = False
    # The client closes its end at once, and still wants its answers (RFC 9112 §9.6).
    ends: bool = False

    def rendered(self, route, port):
        steps = [step and step.replace(PORT, port).replace(ROUTE, route) for step in self.steps]
        if self.edit:
            at, drop, put = self.edit
            steps[0] = steps[0][:at] + put + steps[0][at + drop:]
        cuts = range(1, len(steps[0])) if self.cuts == "all" else self.cuts
        edges = [0, *cuts, len(steps[0])]
        return [steps[0][a:b] for a, b in zip(edges, edges[1:])] + steps[1:]


def text(method=b"GET", path=b"/a", fields=(), content=b"", version=b"HTTP/1.1", host=HOST):
    lines = [method + b" " + ROUTE + path + b" " + version, *([b"Host: " + host] if host is not None else []),
             *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def chunked(content=b"hello", trailers=b""):
    return b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(content), content, trailers)


GET = text(path=b"/a?b=c", fields=[b"Accept: */*"])
POST = text(b"POST", b"/p", [b"Content-Length: 5"], b"hello")
CHUNKED = text(b"POST", b"/c", [b"Transfer-Encoding: chunked", b"Trailer: X-T"],
               b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-T: 1\r\n\r\n")
SMUGGLED = text(path=b"/smuggled")
READINGS = {GET: (b"GET", b"/a?b=c", b""), POST: (b"POST", b"/p", b"hello"),
            CHUNKED: (b"POST", b"/c", b"hello world")}
TOKENS = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PATHS = b"!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
CONTROLS = [b"\0", b"\r", b"\n", b"\x0b", b"\x0c", b"\x07", b"\x7f"]


def refuse(name, data, **more):
    return Case(name, [data], REFUSE, [], **more)


def refuse_here(name, data):
    return refuse(name, data, everybody=False)


def accept(name, data, *readings, **more):
    return Case(name, [data], ACCEPT, list(readings), **more)


def either(name, data, **more):
    return Case(name, [data], EITHER, **more)


def shown(data):
    return data.decode("latin-1").encode("unicode_escape").decode() if len(data) < 60 else f"{len(data)} bytes"


ODD_NAMES = ["%s ", "%s\t", "%s\x0b", "%s\x0c", "%s\0", "\0%s", "%s\xa0", "\xef\xbb\xbf%s", "(%s)", '"%s"', "%s\x7f",
             "%s:", "%s;", "%s,", "x %s", "@%s", "%s/", "[%s]", "\x08%s", "\x85%s"]
FOLDED_NAMES = [" %s", "\t%s", "\r%s", "\n%s", "x: y\n%s", "x: y\r%s", "x: y\r\r\n%s", "x: y\n\r%s", "x:\r\n %s"]


def odd_names(name):
    """Pairs of what stands before a colon, and whether everybody must refuse it: white space there (RFC 9112 §5.1).
    A field whose name is none may also be dropped."""
    for form in ODD_NAMES:
        yield (form % name).encode("latin-1"), form in ("%s ", "%s\t")
    for form in FOLDED_NAMES:
        yield (form % name).encode("latin-1"), False


def sample(cases, seed, count=45):
    """Some of each group; all of the groups in which each case is a thing of its own."""
    groups = {}
    for case in cases:
        groups.setdefault(case.name.split("/")[0], []).append(case)
    dice = random.Random(seed)
    return [case for name, group in groups.items() for case in (
        group if name in ("limits", "pipeline", "loop") else dice.sample(group, min(len(group), count)))]


def of_file(path):
    """Cases of a file of JSON lines: `id`, `expect` (reject, accept, either) and `steps` in base64.

    @@HOST@@ stands where the host belongs; the first request's target lacks the route.
    """
    expects = {"reject": REFUSE, "accept": ACCEPT, "either": EITHER}
    cases = []
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        steps = [base64.b64decode(step) for step in row["steps"]]
        for number, step in enumerate(steps):
            for name, value in ((b"HOST", HOST), (b"HOSTNAME", HOST.split(b":")[0]), (b"PORT", PORT)):
                step = step.replace(b"@@%s@@" % name, value)
            step = re.sub(rb"@@HEXLEN\{(.*?)\}@@", lambda found: b"%x" % len(found[1]), step, flags=re.DOTALL)
            steps[number] = re.sub(rb"^([A-Za-z]+ )/", lambda found: found[1] + ROUTE + b"/", step, count=1)
        spaced = [step for pair in zip(steps, [UNTIL_TOLD] * len(steps)) for step in pair][:-1]
        cases.append(Case(f"file/{row['id']}", spaced, expects[row["expect"]],
                          [] if row["expect"] == "reject" else None, may_wait=True))
    return cases
