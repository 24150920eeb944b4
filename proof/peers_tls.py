"""The same servers behind nginx, HAProxy and Envoy: how many does each believe?

A server is believed when it could read a byte of a request.
"""

import contextlib
import json
import shutil
import subprocess

import rig
import wire
from wire import Case

TYPES = "type.googleapis.com/envoy.extensions"


def nginx(folder, port, upstreams, ca, verifies):
    if not shutil.which("nginx"):
        return None
    check = (
        f"proxy_ssl_verify on; proxy_ssl_verify_depth 5; proxy_ssl_trusted_certificate {ca};" if verifies else "")
    locations = "".join(
        f"location /t{index}/ {{ proxy_pass https://127.0.0.1:{upstream}; }}\n"
        for index, upstream in enumerate(upstreams))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port};\n"
        + "".join(
            f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f"proxy_ssl_name {rig.HOST}; proxy_ssl_server_name on;\n"
        "proxy_http_version 1.1; proxy_set_header Connection '';\n"
        f"{check}\n{locations}}} }}\n")
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def haproxy(folder, port, upstreams, ca, verifies):
    if not shutil.which("haproxy"):
        return None
    check = f"verify required ca-file {ca} verifyhost {rig.HOST}" if verifies else "verify none"
    backends = "".join(
        f"backend t{index}\n server s 127.0.0.1:{upstream} ssl sni str({rig.HOST}) {check}\n"
        for index, upstream in enumerate(upstreams))
    (folder / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n retries 0\n"
        f"frontend f\n bind 127.0.0.1:{port}\n use_backend %[path,field(2,/)]\n{backends}")
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


def envoy(folder, port, upstreams, ca, verifies):
    if not shutil.which("envoy"):
        return None
    validation = {
        "trusted_ca": {"filename": str(ca)},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": rig.HOST}}]}
    context = {
        "@type": f"{TYPES}.transport_sockets.tls.v3.UpstreamTlsContext", "sni": rig.HOST,
        "common_tls_context": {"validation_context": validation} if verifies else {}}
    clusters = [{
        "name": f"t{index}", "type": "STATIC", "connect_timeout": "5s",
        "transport_socket": {"name": "tls", "typed_config": context},
        "load_assignment": {"cluster_name": f"t{index}", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": _address(upstream)}}]}]}} for index, upstream in enumerate(upstreams)]
    routes = [
        {"match": {"prefix": f"/t{index}/"}, "route": {"cluster": f"t{index}"}} for index in range(len(upstreams))]
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "proof",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": f"{TYPES}.filters.http.router.v3.Router"}}]}
    listener = {"address": _address(port), "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}
    resources = {"listeners": [listener], "clusters": clusters}
    (folder / "envoy.json").write_text(json.dumps({"static_resources": resources}))
    return ["envoy", "-c", str(folder / "envoy.json"), "--disable-hot-restart", "--concurrency", "1", "-l", "error"]


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


PEERS = (
    ("nginx, as it comes", nginx, False), ("nginx, proxy_ssl_verify on", nginx, True),
    ("HAProxy, verify required", haproxy, True), ("Envoy, without validation_context", envoy, False),
    ("Envoy, trusted_ca and subject names", envoy, True))


@contextlib.contextmanager
def running(command, folder, port):
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        rig.wait_until(lambda: rig.is_listening(port) or process.poll() is not None, command[0])
        if process.poll() is not None:
            raise rig.Failure(f"{command[0]}: {(folder / 'log').read_text()[-500:]}")
        yield
    finally:
        process.kill()
        process.wait()


def compare(folder, forge, traps, servers, good):
    """Rows: of how many servers that must be refused each peer lets read a request."""
    rows = []
    for index, (name, make, verifies) in enumerate(PEERS):
        place = folder / f"peer{index}"
        place.mkdir()
        port = rig.free_port()
        command = make(place, port, [server.port for server in (*servers, good)], forge.certificate, verifies)
        if command is None:
            rows.append((name, "skipped: not installed"))
            continue
        believed = []
        with running(command, place, port):
            for number, server in enumerate((*servers, good)):
                before = server.readable
                wire.call(port, Case().request(f"t{number}"))
                if server.readable > before:
                    believed.append(traps[number].name if number < len(traps) else "good")
        if believed.pop() != "good" if believed else True:
            raise rig.Failure(f"{name} does not believe the good server either")
        few = f": {', '.join(believed)}" if 0 < len(believed) < 9 else ""
        rows.append((f"believed by {name}", f"{len(believed)} of {len(traps)}{few}"))
    return rows
