"""A fault at every byte: of TLS's first flights, of the request as it arrives, of the answer as it is sent."""

import collections
import itertools
import queue
import random
import time

import rig
import wire
from wire import CLOSE, FAULTS, FIN, GARBAGE, NOISE, RST, STALL, Case

# What a stalled upstream is given, in seconds; what one that is only slow on a busy machine is.
SHORT, LONG = 0.25, 20
# For how long a client holds its second piece back if nothing is seen of the first, in seconds.
PIECE = 2
# How often a case is played until its fault has come in time, and the answer too: a busy machine is late by chance, a
# wrong time-out each time.
TRIES = 10
# All cases take some ten minutes; what takes hours never ends, in seconds.
HOURS = 2 * 3600
NEVER, LATE = "cases whose fault did not come in time, and prove nothing", "waited past its bound"

REQUESTS = [
    {"method": "GET"},
    {"method": "POST", "framing": "length"},
    {"method": "POST", "framing": "length", "key": True},
    {"method": "POST", "framing": "chunked", "split": True},
    {"method": "POST", "framing": "chunked", "split": True, "key": True},
    {"method": "PUT", "framing": "length", "split": True},
]
ANSWERED = [
    {"method": "GET"},
    {"method": "GET", "client": "HTTP/1.0"},
    {"method": "POST", "framing": "length"},
    {"method": "POST", "framing": "chunked", "key": True},
]
# More than is held for a repetition (`body.replay`), and than sockets take in: tried at some offsets.
LARGE = [
    {"method": "POST", "framing": "length", "size": 2 << 20},
    {"method": "PUT", "framing": "length", "size": 2 << 20},
]
LARGE_OFFSETS = 12
PLACES = {
    "hello-in": (RST, FIN, STALL, NOISE),
    "hello-out": (RST, FIN, STALL, NOISE),
    "request": FAULTS,
    "answer": FAULTS,
    "record": (RST, FIN, STALL, NOISE),
}


def shapes():
    """Each layer with each sort of call that is tried there."""
    for shape, layer in itertools.product(REQUESTS, ("hello-in", "hello-out")):
        # The handshake is over before the call's content matters.
        if "split" not in shape:
            yield {**shape, "layer": layer}
    for shape, reused in itertools.product(REQUESTS + LARGE, (False, True)):
        yield {**shape, "reused": reused, "layer": "request"}
    for shape, reused, answer in itertools.product(ANSWERED, (False, True), ("length", "chunked", "end")):
        yield {**shape, "reused": reused, "answer": answer, "layer": "answer"}
    for shape, reused in itertools.product(ANSWERED, (False, True)):
        yield {**shape, "reused": reused, "layer": "record"}


def lies_before_answer(case):
    """The connection ends, and no byte of an answer came before."""
    if case.fault in (STALL, GARBAGE):
        return False
    return case.layer in ("request", "record") or case.offset == 0


def expected(case):
    """What the client must get: kinds of `wire.Answer`, or of problems; and what the problem says."""
    head, content = case.answer_parts()
    if case.layer.startswith("hello"):
        return ({"upstream-timeout"} if case.fault == STALL else {"upstream-tls", "upstream-unreachable"}), False
    if lies_before_answer(case):
        # Of a large one more may have been sent by now than is held, or not.
        kinds = {"whole"} if case.is_repeatable else {"upstream-broke"}
        return (kinds | {"upstream-broke"} if case.size else kinds), True
    if case.layer != "answer" or case.offset < len(head):
        return ({"upstream-timeout"} if case.fault == STALL else {"upstream-broke"}), True
    has_all = case.offset == len(head) + len(content)
    if case.answer == "end":
        # Its end is announced by close_notify alone, wherever it comes.
        return ({"whole"} if case.fault == CLOSE else {"cut"}), None
    if has_all or case.fault == GARBAGE and case.answer == "length":
        return {"whole"}, None
    return {"cut"}, None


def findings(case, answer, seen):
    """What is wrong with what came of `case`: pairs of a sort and words."""
    kinds, told = expected(case)
    kind = answer.problem or answer.kind
    if seen.strangers:
        yield "requests mixed up", repr(seen.strangers[0])
    if case.method == "POST" and not case.key and seen.arrivals > 1:
        yield "POST arrived twice", f"{seen.arrivals} times"
    elif seen.arrivals > (2 if case.is_repeatable and lies_before_answer(case) else 1):
        yield "sent again where nothing says so", f"arrived {seen.arrivals} times"
    if answer.problem:
        if not isinstance(answer.told, bool):
            yield "does not say whether it may have been processed", str(answer)
        elif not answer.told and (seen.arrivals or seen.wholes):
            yield "untrue about what may have been processed", f"{answer}; {seen.arrivals} arrived"
        elif answer.told and told is False:
            yield "says processed where nothing was sent", str(answer)
    if not seen.has_come:
        yield NEVER, str(answer)
    if is_late(case, answer):
        yield LATE, str(answer)
    elif kind not in kinds:
        sort = "looks whole and is not" if kind == "whole" else "another answer than the documented one"
        yield sort, f"{answer}, not {' or '.join(sorted(kinds))}"
    elif kind == "whole" and not is_true(case, answer):
        yield "not the provider's answer", f"{answer}: {answer.content!r}"


def is_late(case, answer):
    """Whether the call was held up for longer than the configuration lets a stall hold it up. Other faults hold up
    nobody."""
    return answer.kind == "late" or answer.seconds > (SHORT if case.fault == STALL else 0) + rig.SLACK


def is_true(case, answer):
    """Whether what looks whole is what the upstream has sent."""
    content = case.answer_content()
    if case.layer == "answer" and case.fault == GARBAGE and case.answer == "length":
        sent = b"".join(case.answer_parts())[:case.offset] + wire.GIBBERISH
        content = sent[len(case.answer_parts()[0]):][:len(content)]
    if case.layer == "answer" and case.answer == "end":
        content = content[:case.offset - len(case.answer_parts()[0])] if not lies_before_answer(case) else content
    return answer.content == content and answer.status == 200


class Player:
    """Plays cases, one after the other, over a lane of its own."""

    def __init__(self, lane, index, cases, results):
        self.lane, self.index, self.cases, self.results = lane, index, cases, results
        self.daemon_port = None
        # Tries that were none.
        self.again = 0

    def providers(self, authority):
        """Its share of the configuration: connections new and kept, patient and not."""
        text = ""
        # A handshake that stalls must end soon; one that is slow on a busy machine must not.
        for name, tls, answer in ("hasty", SHORT, LONG), ("short", LONG, SHORT), ("long", LONG, LONG):
            tls, answer = f"{int(tls * 1000)}ms", f"{int(answer * 1000)}ms"
            for kept, idle in ("new", 0), ("kept", 8):
                more = (
                    f"    timeouts: {{ connect: 5s, tls: {tls}, head: {answer}, idle: {answer} }}\n"
                    f"    pool: {{ idle: {idle}, idle_timeout: 1h }}\n")
                text += rig.provider(f"{name}-{kept}-{self.index}", self.lane.port, authority, more)
        return text

    def route(self, case):
        name = "long" if case.fault != STALL else "hasty" if case.layer.startswith("hello") else "short"
        return f"{name}-{'kept' if case.reused else 'new'}-{self.index}"

    def run(self):
        while True:
            try:
                case = self.cases.get_nowait()
            except queue.Empty:
                return
            try:
                self.results.append((case, *self.play(case)))
            except Exception as error:  # pylint: disable=broad-except
                # Told with its case, and no reason not to play the others.
                self.results.append((case, wire.Answer(f"the proof itself failed: {error!r}"), wire.Seen()))

    def play(self, case):
        """Once more where a machine was so busy that time was up before the fault came, or before the answer did."""
        for _ in range(TRIES):
            answer, seen = self.try_to_play(case)
            if case.fault is None:
                break
            sorts = {sort for sort, _ in findings(case, answer, seen)}
            if NEVER not in sorts and sorts != {LATE}:
                break
            self.again += 1
            self.lane.clear()
        return answer, seen

    def try_to_play(self, case):
        route = self.route(case)
        if case.reused:
            warm = Case(number=case.number)
            self.lane.play(warm)
            answer = wire.call(self.daemon_port, warm.request(route))
            if answer.problem:
                return answer, wire.Seen()
        seen = self.lane.play(case)
        began = time.monotonic()
        answer = wire.call(self.daemon_port, case.request(route), lambda: seen.goes_on.wait(PIECE))
        seen.over.set()
        if seen.taken:
            seen.done.wait(rig.PATIENCE)
        seen.has_come = case.fault is None or seen.failed is not None and (
            case.fault != STALL or seen.failed - began < SHORT / 2)
        return answer, seen


def lengths(player):
    """How many bytes each layer has, by shape: found out by cases without a fault."""
    numbers = itertools.count(90_000_000)
    found = {}
    for shape in shapes():
        healthy = {key: value for key, value in shape.items() if key != "layer"}
        case = Case(**healthy, number=next(numbers))
        answer, seen = player.play(case)
        if answer.kind != "whole" or answer.content != case.answer_content():
            raise rig.Failure(f"{case}: {answer} without any fault")
        head, content = case.answer_parts()
        # Of a flight and of a record not the last byte: with it they are whole.
        last = {"answer": len(head) + len(content), "request": seen.lengths["request"]}
        layer = shape["layer"]
        found[tuple(shape.items())] = last[layer] if layer in last else seen.lengths[layer] - 1
    return found


def all_cases(found):
    for shape, last in found.items():
        shape = dict(shape)
        step = max(1, last // LARGE_OFFSETS) if shape.get("size") else 1
        for offset, fault in itertools.product(range(0, last + 1, step), PLACES[shape["layer"]]):
            yield Case(**shape, offset=offset, fault=fault)


def sample(cases, count, chance):
    """Of each layer, fault and answer alike: the first and last offset, and some by chance."""
    strata = collections.defaultdict(list)
    for case in cases:
        strata[(case.layer, case.fault, case.answer, case.is_repeatable, case.reused, case.size)].append(case)
    each = max(1, count // len(strata))
    return [
        case for stratum in strata.values()
        for case in chance.sample(stratum, 1 if stratum[0].size else min(each, len(stratum)))]


def prove(folder, authority, binary, is_short, seed, complain):
    """Rows of figures. `complain` is told each finding."""
    context = authority.server_context()
    # Tickets would make a later handshake shorter than the one whose bytes were counted.
    context.num_tickets = 0
    context.options |= wire.ssl.OP_NO_TICKET
    cases, results = queue.SimpleQueue(), []
    players = [Player(wire.Lane(context), index, cases, results) for index in range(16 if is_short else 32)]
    configuration = "providers:\n" + "".join(player.providers(authority) for player in players)
    with rig.Daemon(folder / "offsets", configuration, binary, rig.SECRETS) as daemon:
        for player in players:
            player.daemon_port = daemon.port
        chosen = list(all_cases(lengths(players[0])))
        chance = random.Random(seed)
        if is_short:
            chosen = sample(chosen, 600, chance)
        # Those that stall take their time: among others, they hold up nobody.
        chance.shuffle(chosen)
        for number, case in enumerate(chosen):
            case.number = number
            cases.put(case)
        rig.together([player.run for player in players], HOURS)
        for player in players:
            player.lane.close()
    again = sum(player.again for player in players)
    return [*figures(chosen, results, complain), ("played again, the machine being too busy", again)]


SORTS = (
    NEVER,
    "POST arrived twice", "sent again where nothing says so", "untrue about what may have been processed",
    "does not say whether it may have been processed", "says processed where nothing was sent",
    "looks whole and is not", "not the provider's answer", "another answer than the documented one",
    "requests mixed up", LATE)


def figures(chosen, results, complain):
    counts = collections.Counter()
    for case, answer, seen in results:
        for sort, words in findings(case, answer, seen):
            counts[sort] += 1
            complain(f"{sort}: {case}: {words}")
    if len(results) != len(chosen):
        complain(f"{len(chosen) - len(results)} cases were not played")
    layers = collections.Counter(case.layer for case in chosen)
    repeated = sum(seen.arrivals == 2 for _, _, seen in results)
    saved = sum(answer.kind == "whole" and lies_before_answer(case) and not case.layer.startswith("hello")
                for case, answer, _ in results)
    careful = sum(answer.told is True and seen.wholes == 0 for _, answer, seen in results if answer.problem)
    longest = max((answer.seconds for case, answer, _ in results if case.fault == STALL), default=0)
    return [
        *((f"faults in {layer}", layers[layer]) for layer in PLACES),
        ("bound of a call: the time-out, and seconds for a busy machine", f"{SHORT} + {rig.SLACK}"),
        ("connections lost without a client noticing", saved),
        ("arrived twice, as documented", repeated),
        ("told 'may have been processed' though all of it had not arrived", careful),
        (f"longest wait for a stalled upstream (time-outs of {SHORT} s)", f"{longest:.2f} s"),
        *((sort, counts[sort]) for sort in SORTS),
    ]
