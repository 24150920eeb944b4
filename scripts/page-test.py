#!/usr/bin/env python3
"""Opens the operator's page in a headless Chromium and looks whether it does what docs/page.md says.

usage: page-test.py [--shots DIRECTORY]

Serves the page as the admin listener does, under the same policy, with statuses from Tests/Page, and speaks
the browser's DevTools protocol over a pipe. Python's standard library is all it needs; without Chromium it is
skipped.
Nothing sleeps: what is awaited is awaited in the page, up to a bound, or happens in the page's virtual time.
"""
import argparse
import base64
import copy
import fcntl
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "Sources/TollkeyServer/Admin/Page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
STRANGE = b'{"now": "2026-11-22T03:12:50.000Z", "version": "0.1.0", "providers": [null]}'
PAGE_BYTES_MAX = 40_000
RUN_SECONDS_MAX = 58
WAIT_SECONDS_MAX = 12
CONTRAST_MIN = 4.5
DRAW_MILLISECONDS_MAX = 100
SHOT_HEIGHT_MAX = 4000
PHONE, DESKTOP = (360, 740), (1280, 900)


# ---- What is served


def statuses():
    files = sorted((ROOT / "Tests/Page").glob("*.json"))
    found = {file.stem: json.loads(file.read_text("utf-8")) for file in files}
    found["two-hundred"] = two_hundred(found["all-well"], found["three-in-the-morning"])
    return found


def two_hundred(well, troubled):
    """As many providers as there may be; the last two are in trouble."""
    told = copy.deepcopy(well)
    told["providers"] = []
    for number in range(198):
        provider = copy.deepcopy(well["providers"][number % len(well["providers"])])
        provider["name"] += f"-{number + 1}"
        provider["route"] = "/" + provider["name"]
        told["providers"].append(provider)
    told["providers"] += [one for one in troubled["providers"] if one["name"] in ("tezpay", "jpay")]
    told["problems"] = [one for one in troubled["problems"] if one["provider"] in ("tezpay", "jpay")]
    told["ready"], told["not_ready"] = False, troubled["not_ready"][:1]
    return told


class Listener(http.server.ThreadingHTTPServer):
    """`/NAME/` is the page beside the status of that name. `mood` is how statuses are answered."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = statuses()
        self.mood = "well"
        self.asked = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A tab that is closed takes its connections along."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def url(self, name):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, name, file = self.path.split("/", 2)
        file = file or "page.html"
        if file == "status":
            return self.answer_status(name)
        if file not in TYPES:
            return self.answer(404, "text/plain", b"no such page\n")
        return self.answer(200, f"{TYPES[file]}; charset=utf-8", (PAGE / file).read_bytes())

    def answer_status(self, name):
        self.server.asked += 1
        if self.server.mood == "away":
            self.close_connection = True
            return None
        if self.server.mood == "broken":
            return self.answer(503, "text/plain", b"draining\n")
        if self.server.mood == "garbled":
            return self.answer(200, "application/json", b"{")
        if self.server.mood == "strange":
            return self.answer(200, "application/json", STRANGE)
        return self.answer(200, "application/json", json.dumps(self.server.statuses[name]).encode())

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# ---- The browser


class Browser:
    """Chromium, spoken to over the two pipes that it has as descriptors 3 and 4; messages end with a NUL."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="tollkey-page-")
        to_read, self.out = os.pipe()
        self.into, to_write = os.pipe()
        # Out of the way of 3 and 4, which they become in the child.
        high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 20) for one in (to_read, to_write)]
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            start_new_session=True, preexec_fn=lambda: (os.dup2(high[0], 3), os.dup2(high[1], 4)))
        for one in (to_read, to_write, *high):
            os.close(one)
        self.answers, self.events, self.last = {}, [], 0
        self.heard = threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        rest = b""
        while more := os.read(self.into, 1 << 16):
            *whole, rest = (rest + more).split(b"\0")
            with self.heard:
                for message in map(json.loads, whole):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.events.append(message)
                self.heard.notify_all()

    def call(self, method, session=None, **parameters):
        with self.heard:
            self.last += 1
            number = self.last
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        with self.heard:
            if not self.heard.wait_for(lambda: number in self.answers, WAIT_SECONDS_MAX):
                raise TimeoutError(f"{method}: no answer in {WAIT_SECONDS_MAX} s {str(parameters)[:200]}")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def event(self, method, session):
        with self.heard:
            def found():
                return [one for one in self.events
                        if one["method"] == method and one.get("sessionId") == session]

            if not self.heard.wait_for(found, WAIT_SECONDS_MAX):
                raise TimeoutError(f"{method} did not come in {WAIT_SECONDS_MAX} s")
            self.events.remove(found()[0])

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(5)
        except Exception:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)


class Tab:
    """One page. Violations of the policy are counted from before its first script. `still`: no time goes by."""

    def __init__(self, browser, url, size=DESKTOP, scheme="light", still=False):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=(
            "window.violations = []; document.addEventListener('securitypolicyviolation',"
            " (one) => violations.push(`${one.effectiveDirective} ${one.blockedURI}`));"
            + ("performance.now = () => 0" if still else "")))
        self.resize(size)
        self.paint(scheme)
        self.call("Page.navigate", url=url)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def resize(self, size):
        self.call("Emulation.setDeviceMetricsOverride",
                  width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)

    def paint(self, scheme):
        # Without motion what is measured is where it will stay.
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def value(self, script):
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script[:80]}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def wait(self, condition):
        """Looks in the page until it is so; that it never is ends the call at its bound."""
        self.value("new Promise((done) => { const look = () => { try { if (%s) return done(true) } catch {} "
                   "setTimeout(look, 15) }; look() })" % condition)

    def drawn(self):
        self.wait("!document.getElementById('figures').hidden")
        return self

    def text(self, within="body"):
        return self.value(f"document.querySelector({json.dumps(within)}).innerText").replace("\u00a0", " ")

    def advance(self, seconds):
        """Lets that much time go by in the page, at once."""
        self.call("Emulation.setVirtualTimePolicy",
                  policy="pauseIfNetworkFetchesPending", budget=seconds * 1000)
        self.browser.event("Emulation.virtualTimeBudgetExpired", self.session)

    def complaints(self, network=True):
        found = list(self.value("violations"))
        for one in self.browser.events:
            if one.get("sessionId") != self.session:
                continue
            told = one["params"]
            if one["method"] == "Runtime.exceptionThrown":
                found.append(told["exceptionDetails"]["exception"].get("description", "exception"))
            if one["method"] == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
                found.append(str(told["args"]))
            if one["method"] == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
                if network or told["entry"]["source"] != "network":
                    found.append(told["entry"]["text"])
        return found

    def shoot(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        height = min(size["height"], SHOT_HEIGHT_MAX)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


# ---- The checks


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, what, holds, found=""):
        print(f"{'ok    ' if holds else 'FAILED'}  {what}{'' if holds else f': {found!r}'}", flush=True)
        self.failed += not holds

    def no(self, what, found):
        self.that(what, not found, found)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--shots", type=pathlib.Path, help="a folder for screenshots")
    shots = options.parse_args().shots
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        print("skipped: no chromium")
        return 0
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(RUN_SECONDS_MAX if not shots else 4 * RUN_SECONDS_MAX)
    browser = Browser(program)
    checks = Checks()
    try:
        listener = Listener()
        if shots:
            take_shots(browser, listener, shots)
        else:
            for check in (sizes, texts, widths, schemes, inert, silence, clocks, sleep, filtering, handling):
                check(checks, browser, listener)
    finally:
        signal.alarm(0)
        browser.close()
    if shots:
        print(f"screenshots are in {shots}")
    else:
        print(f"{checks.failed} failed" if checks.failed else "all well")
    return 1 if checks.failed else 0


def too_long(*_):
    raise TimeoutError(f"it took longer than {RUN_SECONDS_MAX} s")


def sizes(checks, *_):
    total = sum((PAGE / name).stat().st_size for name in TYPES)
    checks.that(f"the page is {total} bytes of at most {PAGE_BYTES_MAX}", total <= PAGE_BYTES_MAX, total)


TEXTS = {
    "all-well": [
        "Ready", "All is well with all 5 providers", "none failed", "piaxis", "ends in 20 min", "renews in",
        "812 left of 1000/hour", "resets in 37 min", "Renewed", "because it was due", "does not end", "None.",
        "version", "2 d 4 h", "127.0.0.1:8080", "answers, 1 active and 4 idle", "none held"],
    "three-in-the-morning": [
        "Not ready", "jpay/access: expired", "The last reload failed", "12 min ago", "did you mean",
        "permission denied", "The ledger (redis) cannot be asked", "1,204 lines were dropped",
        "215 of 237 were the provider’s", "19 client", "upstream failing", "failing for 6 min 52 s",
        "The provider sent no answer in time (15 s)", "Next try in 13 s", "3 times in a row",
        "paused, 44 s left", "14 calls wait", "117 refused since the start",
        "It is not tried again by itself", "payments used up", "reads nearly used", "03:12:44 UTC"],
    "empty": ["Ready", "No provider is configured", "None is configured", "none, no provider has limits"],
    "two-hundred": ["2 of 200 providers want a look", "200 in all", "ends in", "% left"],
    "hostile": ["Not ready", "<script>document.title", "\u202e\u0645\u0631\u062d", "\U0001f469\U0001f3fd"],
}


def texts(checks, browser, listener):
    for name, wanted in TEXTS.items():
        tab = Tab(browser, listener.url(name), still=True).drawn()
        text = tab.text().lower()
        checks.no(f"{name}: says what it should", [one for one in wanted if one.lower() not in text])
        checks.no(f"{name}: breaks no policy, no word on the console", tab.complaints())
        tab.close()


def widths(checks, browser, listener):
    tab = Tab(browser, listener.url("all-well"), PHONE)
    for name in TEXTS:
        tab.call("Page.navigate", url=listener.url(name))
        tab.wait(f"location.pathname === '/{name}/'")
        tab.drawn()
        tab.value("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        tab.wait("[...document.querySelectorAll('.entry')].every((one) => one.children.length > 1)")
        for width in (320, 360, 700, 1600):
            tab.resize((width, 740))
            wide = tab.value("""(() => {
                const edge = document.documentElement.clientWidth;
                const over = [...document.body.querySelectorAll('*')].filter((one) =>
                    one.getBoundingClientRect().right > edge + 1)
                    .map((one) => `${one.tagName}.${one.className}`);
                return [...over, ...(document.documentElement.scrollWidth > edge ? ['scrolls'] : [])] })()""")
            checks.no(f"{name}: {width} px wide, nothing beyond the edge", wide[:5])
    tab.close()


CONTRASTS = """(() => {
    const scratch = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const parts = (colour) => {
        scratch.clearRect(0, 0, 1, 1); scratch.fillStyle = colour; scratch.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = scratch.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255] };
    const over = (top, below) => top.slice(0, 3).map((one, at) => one * top[3] + below[at] * (1 - top[3]));
    const ground = (node) => {
        if (!node) return [255, 255, 255];
        const own = parts(getComputedStyle(node).backgroundColor);
        return own[3] === 1 ? own.slice(0, 3) : over(own, ground(node.parentElement)) };
    const light = (colour) => {
        const [r, g, b] = colour.map((one) => one / 255).map((one) =>
            one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b };
    const found = [];
    for (const node of document.body.querySelectorAll('*')) {
        if (![...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim())) continue;
        if (!node.checkVisibility()) continue;
        const style = getComputedStyle(node), below = ground(node);
        const [one, other] = [light(over(parts(style.color), below)), light(below)].sort((a, b) => b - a);
        const ratio = Math.round((one + .05) / (other + .05) * 100) / 100;
        found.push([ratio, `${node.tagName}.${node.className} ${node.textContent.slice(0, 30)}`]);
    }
    return found.sort((a, b) => a[0] - b[0]) })()"""


def schemes(checks, browser, listener):
    tab = Tab(browser, listener.url("three-in-the-morning")).drawn()
    grounds = {}
    for name in ("three-in-the-morning", "all-well"):
        tab.call("Page.navigate", url=listener.url(name))
        tab.wait(f"location.pathname === '/{name}/'")
        tab.drawn()
        for scheme in ("light", "dark"):
            tab.paint(scheme)
            grounds[scheme] = tab.value("getComputedStyle(document.body).backgroundColor")
            found = tab.value(CONTRASTS)
            checks.that(f"{name}, {scheme}: {len(found)} texts, the faintest has a contrast of {found[0][0]}",
                        found[0][0] >= CONTRAST_MIN, found[:3])
    checks.that("light and dark differ", grounds["light"] != grounds["dark"], grounds)
    tab.close()


INERT = {
    "hostile words ran nothing": "window.owned === undefined && document.title !== 'owned'",
    "hostile words made no element":
        "document.scripts.length === 1 && !document.querySelector('img, iframe, object, body style')",
    "hostile words stand there as text":
        "[...document.querySelectorAll('#reasons bdi')].some((one) => one.textContent.startsWith('<scr'))",
    "words of the other direction are set apart": """[...document.querySelectorAll('*')].filter((one) =>
        [...one.childNodes].some((text) => text.nodeType === 3 && text.data.includes('\\u202e')))
        .every((one) => one.tagName === 'BDI')""",
}


def inert(checks, browser, listener):
    tab = Tab(browser, listener.url("hostile")).drawn()
    for what, holds in INERT.items():
        checks.that(what, tab.value(holds))
    tab.close()


def silence(checks, browser, listener):
    tab = Tab(browser, listener.url("all-well")).drawn()
    for mood, verdict, words in (
        ("away", "No answer", "There is no connection to it"), ("broken", "No status", "It answered 503"),
        ("garbled", "No status", "Its answer is not JSON"),
        ("strange", "No status", "Its status cannot be shown"),
    ):
        listener.mood = mood
        tab.wait(f"document.getElementById('silence').innerText.includes({json.dumps(words)})")
        text = tab.text()
        checks.no(f"{mood}: says so, and how old the figures are", [
            one for one in (verdict, words, "old, of 03:12:", "when it last answered") if one not in text])
        checks.that(f"{mood}: the title says so", verdict in tab.value("document.title"))
        listener.mood = "well"
        tab.wait("document.getElementById('silence').hidden")
        checks.that(f"{mood}: goes on by itself", tab.text("h1") == "Ready", tab.text("h1"))
    checks.no("silence breaks no policy, no word on the console", tab.complaints(network=False))
    listener.mood = "away"
    unheard = Tab(browser, listener.url("empty"))
    unheard.wait("!document.getElementById('silence').hidden")
    checks.that("without any answer yet there are no figures, and it says why", unheard.value(
        "document.getElementById('figures').hidden && document.body.innerText.includes('No answer')"))
    listener.mood = "well"
    unheard.value("document.getElementById('ask').click()")
    unheard.drawn()
    checks.that("\u201cTry now\u201d asks at once", unheard.text("h1") == "Ready")
    for one in (tab, unheard):
        one.close()


def clocks(checks, browser, listener):
    tab = Tab(browser, listener.url("three-in-the-morning")).drawn()
    listener.mood = "well"
    told = tab.value("document.getElementById('clock').textContent")
    tab.wait(f"document.getElementById('clock').textContent !== {json.dumps(told)}")
    checks.that("clocks go between two answers", True)
    tab.close()


def sleep(checks, browser, listener):
    tab = Tab(browser, listener.url("all-well")).drawn()
    tab.value("""Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.turned });
        window.turned = true; document.dispatchEvent(new Event('visibilitychange'))""")
    tab.advance(10)  # what was under way has come
    before = listener.asked
    tab.advance(60)
    checks.that("a hidden tab asks nothing for a minute", listener.asked == before, listener.asked - before)
    tab.value("window.turned = false; document.dispatchEvent(new Event('visibilitychange'))")
    tab.advance(11)
    asked = listener.asked - before
    checks.that("one that is looked at asks every two seconds", 4 <= asked <= 7, asked)
    tab.close()


def filtering(checks, browser, listener):
    tab = Tab(browser, listener.url("two-hundred")).drawn()
    names = "[...document.querySelectorAll('#providers h3')].map((one) => one.textContent)"
    checks.that("trouble comes first", set(tab.value(names)[:2]) == {"tezpay", "jpay"}, tab.value(names)[:3])
    checks.that("what is well is folded, trouble is not",
                tab.value("document.querySelectorAll('.entry[open]').length") == 2)
    tab.value("document.querySelectorAll('.entry > summary')[2].click()")
    tab.wait("document.querySelectorAll('.entry')[2].innerText.includes('left of 1000/hour')")
    checks.that("what somebody unfolds is drawn", True)
    tab.value("{ const input = document.getElementById('filter-text'); input.focus(); input.value = 'TUKU-4';"
              " input.dispatchEvent(new Event('input')) }")
    left = tab.value(names)
    checks.that("the filter leaves what has its words", left and all("tuku-4" in one for one in left), left)
    tab.value("document.getElementById('filter-text').value = ''; true")
    spent = tab.value("{ const from = performance.now(); for (let i = 0; i < 10; i += 1)"
                      " document.getElementById('filter-text').dispatchEvent(new Event('input'));"
                      " (performance.now() - from) / 10 }")
    checks.that(f"a drawing of all takes {spent:.0f} ms of at most {DRAW_MILLISECONDS_MAX}",
                spent <= DRAW_MILLISECONDS_MAX, spent)
    tab.close()


def handling(checks, browser, listener):
    tab = Tab(browser, listener.url("three-in-the-morning")).drawn()
    checks.that("every picture has words", tab.value(
        "[...document.querySelectorAll('[role=img]')].every((one) => one.getAttribute('aria-label'))"))
    order = tab.value("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName[1]))")
    steps = [after - one for one, after in zip(order, order[1:])]
    checks.that("headings skip no level", order[0] == 1 and max(steps) <= 1, order)
    tab.value("const [entry, row] = document.querySelectorAll('.entry, .entry > summary');"
              " row.click(); row.focus(); [window.entry, window.row] = [entry, row]; true")
    told = tab.value("document.getElementById('clock').textContent")
    tab.wait(f"document.getElementById('clock').textContent !== {json.dumps(told)}")
    checks.that("what somebody folded stays folded, and keeps the focus",
                tab.value("!entry.open && document.activeElement === row"))
    tab.close()


# ---- Screenshots, for eyes


def take_shots(browser, listener, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in TEXTS:
        tab = Tab(browser, listener.url(name), still=True).drawn()
        for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                tab.resize(size)
                tab.paint(scheme)
                tab.shoot(folder / f"{name}-{device}-{scheme}.png")
        tab.close()
    for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
        tab = Tab(browser, listener.url("all-well"), size).drawn()
        listener.mood = "away"
        tab.wait("!document.getElementById('silence').hidden")
        tab.shoot(folder / f"away-{device}-light.png")
        listener.mood = "well"
        tab.close()


if __name__ == "__main__":
    sys.exit(main())
