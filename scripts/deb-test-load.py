#!/usr/bin/env python3
"""For deb-test.sh: an upstream that wants the credential, and callers of which none may fail.

usage: deb-test-load.py upstream PORT
       deb-test-load.py load PORT CALLS      at most so many, until SIGTERM; exit status 1 when a call failed
"""

import http.client
import http.server
import signal
import sys
import threading
import time


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and content in one piece, or each answer waits for an acknowledgement.
    wbufsize = -1

    def do_GET(self):
        right = self.headers["Authorization"] == "Bearer test-key"
        self.send_response(200 if right else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def call(port, failures):
    """A call over a connection of its own: one that waits in the socket while nobody accepts must be answered too."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/echo/", headers={"Connection": "close"})
        answer = connection.getresponse()
        if answer.status != 200 or answer.read() != b"ok":
            failures.append(f"status {answer.status} {answer.headers.get('Tollkey-Problem')}")
        connection.close()
    except OSError as error:
        failures.append(repr(error))
    except http.client.HTTPException as error:
        failures.append(repr(error))


def load(port, calls):
    callers, failures, taken, ended = 4, [], [], threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def caller():
        for _ in range(calls // callers):
            if ended.is_set():
                return
            begun = time.monotonic()
            call(port, failures)
            taken.append(time.monotonic() - begun)
            time.sleep(0.002)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(taken)} calls, {len(failures)} failed, the slowest took {max(taken) * 1000:.0f} ms")
    for failure in sorted(set(failures)):
        print(f"  {failures.count(failure)} × {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    role, number = sys.argv[1], int(sys.argv[2])
    if role == "upstream":
        http.server.ThreadingHTTPServer(("127.0.0.1", number), Upstream).serve_forever()
    sys.exit(load(number, int(sys.argv[3])))
