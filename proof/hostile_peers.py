"""nginx, HAProxy and Envoy, set up for the same job as this proxy, and otherwise as they come.

The job: a route by its prefix, a base path instead, the upstream's `Host`, two headers with credentials, verified TLS
over connections that are kept.
"""

import contextlib
import grp
import json
import os
import pwd
import shutil
import subprocess

import hostile_lanes as lanes
import rig

TIMEOUT = 6  # until a silent upstream is given up


def nginx(folder, port, routes, authority):
    user = f"user {pwd.getpwuid(0)[0]} {grp.getgrgid(0)[0]};" if os.geteuid() == 0 else ""
    spools = " ".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    upstreams = "".join(f"upstream u{upstream} {{ server 127.0.0.1:{upstream}; keepalive 16; }}\n" for _,
                        upstream in routes)
    locations = "".join(
        f"location {route}/ {{ proxy_pass https://u{upstream}{lanes.BASE.decode()}/; proxy_read_timeout {TIMEOUT}s;"
        f' proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host {rig.HOST};'
        f' proxy_set_header Authorization "{lanes.AUTHORIZATION.decode()}";'
        f" proxy_set_header X-App-ID {lanes.APPLICATION.decode()};"
        f" proxy_ssl_verify on; proxy_ssl_trusted_certificate {authority.certificate}; proxy_ssl_server_name on;"
        f" proxy_ssl_name {rig.HOST}; }}\n" for route, upstream in routes)
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid nginx.pid; error_log stderr crit;\nevents {{}}\n"
        f"http {{ access_log off; {spools}\n{upstreams}server {{ listen 127.0.0.1:{port};\n{locations}}} }}\n")
    return ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]


def haproxy(folder, port, routes, authority):
    base = lanes.BASE.decode()
    uses = "".join(f"  use_backend b{upstream} if {{ path_beg {route}/ }}\n" for route, upstream in routes)
    backends = "".join(
        f"backend b{upstream}\n  http-reuse always\n  http-request replace-path {route}/(.*) {base}/\\1\n"
        f"  http-request set-header host {rig.HOST}\n"
        f"  http-request set-header authorization '{lanes.AUTHORIZATION.decode()}'\n"
        f"  http-request set-header X-App-ID {lanes.APPLICATION.decode()}\n"
        f"  server only 127.0.0.1:{upstream} ssl verify required ca-file {authority.certificate} sni str({rig.HOST})"
        f" verifyhost {rig.HOST}\n" for route, upstream in routes)
    (folder / "haproxy.cfg").write_text(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n"
        f"  timeout server {TIMEOUT}s\n"
        f"frontend clients\n  bind 127.0.0.1:{port}\n{uses}{backends}")
    return ["haproxy", "-db", "-f", "haproxy.cfg"]


def envoy(folder, port, routes, authority):
    def typed(kind, **rest):
        return {"name": kind, "typed_config": {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **rest}}

    def at(number):
        return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": number}}}

    headers = [{"header": {"key": key, "value": value.decode()}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
               for key, value in (("Authorization", lanes.AUTHORIZATION), ("X-App-ID", lanes.APPLICATION))]
    found = [{"match": {"prefix": f"{route}/"}, "request_headers_to_add": headers, "route": {
        "cluster": f"u{upstream}", "prefix_rewrite": f"{lanes.BASE.decode()}/", "host_rewrite_literal": rig.HOST,
        "timeout": f"{TIMEOUT}s"}} for route, upstream in routes]
    http = typed("filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="in",
                 http_protocol_options={"accept_http_10": True, "default_host_for_http_10": rig.HOST},
                 route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": found}]},
                 http_filters=[typed("filters.http.router.v3.Router")])
    trust = {"trusted_ca": {"filename": str(authority.certificate)},
             "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": rig.HOST}}]}
    tls = typed("transport_sockets.tls.v3.UpstreamTlsContext", sni=rig.HOST, common_tls_context={
        "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}, "validation_context": trust})
    clusters = [{"name": f"u{upstream}", "type": "STATIC", "transport_socket": tls, "load_assignment": {
        "cluster_name": f"u{upstream}", "endpoints": [{"lb_endpoints": [{"endpoint": at(upstream)}]}]}} for _,
        upstream in routes]
    (folder / "envoy.json").write_text(json.dumps({"static_resources": {
        "listeners": [{**at(port), "filter_chains": [{"filters": [http]}]}], "clusters": clusters}}))
    return [shutil.which("envoy"), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c",
            "envoy.json"]


PEERS = {"nginx": nginx, "haproxy": haproxy, "envoy": envoy}


@contextlib.contextmanager
def running(name, folder, routes, authority):
    """The port of a running peer. `routes` are pairs of a path and an upstream's port."""
    folder.mkdir()
    port = rig.free_port()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(PEERS[name](folder, port, routes, authority), cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True)
    try:
        rig.wait_until(lambda: process.poll() is not None or rig.is_listening(port), f"{name}'s start")
        if process.poll() is not None:
            raise rig.Failure(f"{name} ended: {(folder / 'log').read_text(errors='replace')[-1000:]}")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_installed(name):
    return shutil.which(name) is not None
