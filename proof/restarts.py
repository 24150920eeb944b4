"""An upstream that is killed and started anew, twenty times under load.

Its listening socket outlives it, as under systemd or a load balancer: what is lost are the connections, also those
in the middle of a request. Run with `--worker`, this file is that upstream.
"""

import http.client
import itertools
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import rig

CLIENTS = 12


def work(descriptor, certificate, key, ledger):
    """Answers requests and writes each one's path to `ledger` before it does, until it is killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.socket(fileno=descriptor)
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=_serve, args=(context, connection, ledger), daemon=True).start()


def _serve(context, connection, ledger):
    try:
        with context.wrap_socket(connection, server_side=True) as tls, tls.makefile("rb") as file:
            while line := file.readline():
                length = 0
                while (field := file.readline()) not in (b"\r\n", b""):
                    name, _, value = field.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                if len(file.read(length)) < length:
                    return
                path = line.split()[1]
                # One write of one line is never mixed with another's, and stays when this process is killed.
                os.write(ledger, path + b"\n")
                time.sleep(0.001)
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
    except OSError:
        pass


class Load:
    """One client that calls and calls: GET, POST, POST with a key."""

    METHODS = ("GET", "POST", "GET", "keyed POST")
    numbers = itertools.count()

    def __init__(self, port, stop):
        self.port, self.stop = port, stop
        # Method, path, status or None, told, words.
        self.results = []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=rig.PATIENCE)
        for method in itertools.cycle(self.METHODS):
            if self.stop.is_set():
                return connection.close()
            path = f"/{method.split()[-1]}-{next(self.numbers)}"
            headers = {"Host": "localhost", **({"Idempotency-Key": path} if method == "keyed POST" else {})}
            status, told, words = None, None, ""
            try:
                content = b"content" if "POST" in method else None
                connection.request(method.split()[-1], f"/upstream{path}", content, headers)
                answer = connection.getresponse()
                content = answer.read()
                status, words = answer.status, content.decode("latin-1")
                if status == 200 and words != path:
                    words = f"the answer to {words}"
                    status = None
                elif status != 200:
                    told = '"may_have_been_processed":true' in words
            except (OSError, http.client.HTTPException) as error:
                words = repr(error)
                connection.close()
            self.results.append((method, path, status, told, words))


def prove(folder, authority, binary, is_short, seed, complain):
    """Rows of figures. `complain` is told each finding."""
    times, between = (3, 6_000) if is_short else (20, 20_000)
    certificate, key = authority.issue("restarted")
    ledger_path = folder / "restarted.ledger"
    ledger = os.open(ledger_path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    numbers = (listener.fileno(), ledger)

    def start():
        arguments = [sys.executable, __file__, "--worker", str(numbers[0]), str(certificate), str(key), str(numbers[1])]
        return subprocess.Popen(arguments, pass_fds=numbers)

    def served():
        return ledger_path.stat().st_size

    worker = start()
    stop = threading.Event()
    more = "    timeouts: { tls: 30s }\n"
    configuration = (
        "providers:\n"
        + rig.provider("upstream", listener.getsockname()[1], authority, more))
    try:
        with rig.Daemon(folder / "restarts", configuration, binary, rig.SECRETS) as daemon:
            clients = [Load(daemon.port, stop) for _ in range(CLIENTS)]
            with rig.beside([client.run for client in clients], stop.set):
                for _ in range(times):
                    # In bytes of the ledger: each client has its connection again, and some hundred calls are behind
                    # it. What is promised is one repetition: a second restart within one call is more than that.
                    reached = served() + between
                    rig.wait_until(lambda reached=reached: served() > reached, "the load", 4 * rig.PATIENCE)
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
                    worker = start()
                reached = served() + between
                rig.wait_until(lambda: served() > reached, "the load after the last restart", 4 * rig.PATIENCE)
    finally:
        worker.kill()
        worker.wait()
        listener.close()
        os.close(ledger)
    return figures(times, [result for client in clients for result in client.results], ledger_path, complain)


def figures(times, results, ledger_path, complain):
    arrived = {}
    for path in ledger_path.read_text().split():
        arrived[path] = arrived.get(path, 0) + 1
    counts = dict.fromkeys((
        "idempotent requests failed", "POST arrived twice", "untrue about what may have been processed",
        "calls mixed up"), 0)
    told = 0

    def find(sort, words):
        counts[sort] += 1
        complain(f"{sort}: {words}")

    for method, path, status, may_have, words in results:
        count = arrived.get(path, 0)
        if method == "POST" and count > 1:
            find("POST arrived twice", f"{path} {count} times")
        if status == 200:
            if not count:
                find("calls mixed up", f"{path} was answered and never arrived")
        elif method != "POST":
            find("idempotent requests failed", f"{method} {path}: {status} {words}")
        elif status is None:
            find("calls mixed up", f"{method} {path}: {words}")
        elif count and not may_have:
            find("untrue about what may have been processed", f"{path}: {words}")
        else:
            told += 1
    return [
        ("restarts under load", times), ("calls meanwhile", len(results)),
        ("requests that arrived twice, as documented", sum(count > 1 for count in arrived.values())),
        ("POSTs lost, and told so", told), *counts.items()]


if __name__ == "__main__" and sys.argv[1:2] == ["--worker"]:
    work(int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
