"""The proxies that are compared, each doing the same job: a route by its prefix, a limit that is never reached, a bearer
token and an application id, and verified TLS over connections that are kept. One event loop each.

A peer's function writes its configuration into a folder and returns the command that runs it.
"""

import json
import resource
import shutil

import rig

TOKEN, APPLICATION = rig.SECRETS["PROOF_TOKEN"], rig.SECRETS["PROOF_APP"]
NGINX_SPOOLS = " ".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
ENOUGH = "keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0;"
REPLY = '{"status":"success","id":"txn_0123456789","amount":5000,"currency":"UGX","state":"pending"}'
SIZES = {"64k": 64 << 10, "1m": 1 << 20}


def connections_max():
    """HAProxy wants two descriptors for each, and ends at once where the system does not give them."""
    return min(10_100, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100) // 2)


def upstream(folder, port, authority):
    """nginx, which answers 401 to whoever brings no credentials: a proxy that skips the work shows as errors."""
    certificate, key = authority.issue()
    guard = f"if ($is_right = 0) {{ return 401; }} if ($http_x_app_id != '{APPLICATION}') {{ return 401; }}"
    files = folder / "files"
    files.mkdir()
    for name, size in SIZES.items():
        (files / name).write_bytes(bytes(index * 7919 % 251 for index in range(1 << 10)) * (size >> 10))
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid nginx.pid; error_log stderr crit;\n"
        f"events {{ worker_connections 16384; }}\n"
        f"http {{ access_log off; {ENOUGH} {NGINX_SPOOLS}\n"
        f"map $http_authorization $is_right {{ 'Bearer {TOKEN}' 1; ~^Bearer.renewed- 1; default 0; }}\n"
        f"server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {certificate}; ssl_certificate_key {key};\n"
        f"ssl_protocols TLSv1.3; default_type application/json;\n"
        f"location = /payments {{ {guard} return 200 '{REPLY}'; }}\n"
        f"location /files/ {{ {guard} alias {files}/; }}\n"
        f"location = /token {{ return 200 '{{\"access_token\":\"renewed-$msec\",\"expires_in\":2}}'; }} }} }}\n")
    return ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]


def nginx(folder, port, upstream_port, authority, logs):
    log = f"access_log {folder}/access.log;" if logs else "access_log off;"
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid nginx.pid; error_log stderr crit;\n"
        f"events {{ worker_connections 16384; }}\n"
        f"http {{ {log} {ENOUGH} {NGINX_SPOOLS}\n"
        f"limit_req_zone $server_name zone=calls:1m rate=1000000r/s;\n"
        f"upstream provider {{ server 127.0.0.1:{upstream_port}; keepalive 512; keepalive_requests 100000000; }}\n"
        f"server {{ listen 127.0.0.1:{port} backlog=4096;\n"
        f"location /bench/ {{ limit_req zone=calls burst=100000 nodelay; proxy_pass https://provider/;\n"
        f"proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host {rig.HOST};\n"
        f"proxy_set_header Authorization 'Bearer {TOKEN}'; proxy_set_header X-App-ID {APPLICATION};\n"
        f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {authority.certificate}; proxy_ssl_name {rig.HOST};\n"
        f"proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.3; proxy_buffering off; proxy_request_buffering off;\n"
        f"}} }} }}\n")
    return ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]


def haproxy(folder, port, upstream_port, authority, logs):
    log = "  log stdout format raw local0\n  option httplog\n" if logs else ""
    (folder / "haproxy.cfg").write_text(
        f"global\n  nbthread 1\n  maxconn {connections_max()}\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 600s\n"
        f"  timeout server 600s\n{log}"
        f"frontend clients\n  bind 127.0.0.1:{port} backlog 4096\n"
        f"  stick-table type string len 32 size 1k expire 1h store http_req_rate(3600s)\n"
        f"  http-request track-sc0 str(calls)\n"
        f"  http-request deny deny_status 429 if {{ sc0_http_req_rate gt 2000000000 }}\n"
        f"  use_backend provider if {{ path_beg /bench/ }}\n"
        f"backend provider\n  http-reuse always\n  http-request replace-path /bench(/.*) \\1\n"
        f"  http-request set-header Authorization 'Bearer {TOKEN}'\n  http-request set-header X-App-ID {APPLICATION}\n"
        f"  http-request set-header Host {rig.HOST}\n"
        f"  server only 127.0.0.1:{upstream_port} ssl verify required ca-file {authority.certificate}"
        f" sni str({rig.HOST}) verifyhost {rig.HOST} pool-max-conn 512\n")
    return ["haproxy", "-db", "-f", "haproxy.cfg"]


def envoy(folder, port, upstream_port, authority, logs):
    def typed(name, kind, **rest):
        return {"name": name, "typed_config": {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **rest}}

    def at(number):
        return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": number}}}

    always = {"default_value": {"numerator": 100}}
    limit = typed(
        "limit", "filters.http.local_ratelimit.v3.LocalRateLimit", stat_prefix="limit",
        token_bucket={"max_tokens": 100000000, "tokens_per_fill": 100000000, "fill_interval": "1s"},
        filter_enabled=always, filter_enforced=always)
    injector = typed(
        "credential", "filters.http.credential_injector.v3.CredentialInjector", overwrite=True, credential=typed(
            "envoy.http.injected_credentials.generic", "http.injected_credentials.generic.v3.Generic",
            credential={"name": "token"}))
    application = [{"header": {"key": "X-App-ID", "value": APPLICATION}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]
    route = {"match": {"prefix": "/bench/"}, "request_headers_to_add": application, "route": {
        "cluster": "provider", "prefix_rewrite": "/", "host_rewrite_literal": rig.HOST, "timeout": "0s"}}
    log = [typed("file", "access_loggers.file.v3.FileAccessLog", path=str(folder / "access.log"))] if logs else []
    http = typed(
        "http", "filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="in", access_log=log,
        generate_request_id=False, route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        http_filters=[limit, injector, typed("router", "filters.http.router.v3.Router")])
    trust = {"trusted_ca": {"filename": str(authority.certificate)},
             "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": rig.HOST}}]}
    tls = typed("tls", "transport_sockets.tls.v3.UpstreamTlsContext", sni=rig.HOST, common_tls_context={
        "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}, "validation_context": trust})
    plenty = {"thresholds": [{"max_connections": 4096, "max_requests": 65536, "max_pending_requests": 65536}]}
    provider = {"name": "provider", "type": "STATIC", "transport_socket": tls, "circuit_breakers": plenty,
                "load_assignment": {"cluster_name": "provider", "endpoints": [
                    {"lb_endpoints": [{"endpoint": at(upstream_port)}]}]}}
    (folder / "envoy.json").write_text(json.dumps({"static_resources": {
        "listeners": [{**at(port), "filter_chains": [{"filters": [http]}]}], "clusters": [provider],
        "secrets": [{"name": "token", "generic_secret": {"secret": {"inline_string": f"Bearer {TOKEN}"}}}]}}))
    return [shutil.which("envoy"), "--concurrency", "1", "--disable-hot-restart", "--log-level", "critical", "-c", "envoy.json"]


PEERS = {"nginx": nginx, "haproxy": haproxy, "envoy": envoy}
