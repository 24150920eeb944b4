"""nginx as the upstream where calls must be many: faster than anything written here."""

import pathlib
import shutil
import signal
import subprocess

import rig

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin")
# Of a hundred requests: two lose their connection without an answer, one is told 500, one is cut short, one is answered
# on a connection that then ends.
FAULTS = "2% close; 1% error; 1% short; 1% last; * none;"


class Nginx:
    """Answers 200 to who sends one of `tokens`, as long as it is allowed, and 401 to others; under /faulty one in
    twenty goes wrong."""

    def __init__(self, path, authority, tokens, short_port=9, connections=4096, sending="4m"):
        """What is to be cut short comes from a plain server at `short_port`, which breaks off. `sending` is the most
        that the system takes of an answer in its stead."""
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        self.port, self.short_port, self.connections = rig.free_port(), short_port, connections
        self.certificate, self.key = authority.issue("nginx")
        self.process = None
        self.allowed = self.path / "allowed"
        self.allowed.mkdir(exist_ok=True)
        self.tokens = tokens
        self.allow(*tokens)
        numbers = "".join(f'"Bearer {token}" {number};' for number, token in enumerate(tokens))
        (self.path / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile {self.connections * 2};
pid {self.path}/pid; error_log {self.path}/error.log error;
events {{ worker_connections {self.connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; default_type application/json;
  client_body_temp_path {self.path}/body; proxy_temp_path {self.path}/proxy; fastcgi_temp_path {self.path}/fastcgi;
  uwsgi_temp_path {self.path}/uwsgi; scgi_temp_path {self.path}/scgi;
  map_hash_bucket_size 256;
  map $http_authorization $number {{ default none; {numbers} }}
  split_clients $request_id $fault {{ {FAULTS} }}
  server {{
    listen 127.0.0.1:{self.port} ssl backlog=4096 sndbuf={sending};
    ssl_certificate {self.certificate}; ssl_certificate_key {self.key}; ssl_protocols TLSv1.3;
    location / {{
      if (!-f {self.allowed}/$number) {{ return 401 '{{"error":"expired"}}'; }}
      return 200 '{{"state":"accepted"}}';
    }}
    location /faulty {{
      if (!-f {self.allowed}/$number) {{ return 401 '{{"error":"expired"}}'; }}
      if ($fault = close) {{ return 444; }}
      if ($fault = error) {{ return 500 '{{"error":"ours"}}'; }}
      if ($fault = short) {{ rewrite ^ /short last; }}
      if ($fault = last) {{ rewrite ^ /last last; }}
      return 200 '{{"state":"accepted"}}';
    }}
    location /last {{ internal; keepalive_timeout 0; return 200 '{{"state":"accepted"}}'; }}
    location /short {{ internal; proxy_pass http://127.0.0.1:{self.short_port}; proxy_buffering off; }}
    location /files/ {{ alias {self.path}/files/; sendfile on; }}
  }}
}}
""")

    def allow(self, *tokens):
        """From now on these and no others. A file for each, since a new configuration is not for connections that are
        kept."""
        for number, token in enumerate(self.tokens):
            file = self.allowed / str(number)
            file.touch() if token in tokens else file.unlink(missing_ok=True)

    def __enter__(self):
        self.process = subprocess.Popen(
            [PROGRAM, "-c", str(self.path / "nginx.conf"), "-p", str(self.path), "-e", str(self.path / "error.log")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def is_up():
            if self.process.poll() is not None:
                raise rig.Failure(f"nginx ended: {(self.path / 'error.log').read_text()[-500:]}")
            return rig.is_listening(self.port)

        rig.wait_until(is_up, "nginx's start")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(rig.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
