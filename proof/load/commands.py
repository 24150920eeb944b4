"""Every command, a login through a browser, and configurations that are wrong: what they say."""

import json
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request

import rig
from load import failing

COMMAND_SECONDS_MAX = 60


def commands(figures, play, api):
    """Each command, beside a daemon that runs and without one."""
    api.token_answer = None
    yaml = failing.providers(play, api)
    with failing.daemon(play, "beside", yaml, None) as daemon:
        said = 0
        for words in (
            "check", "status", "status --json", "status --ready", "explain GET /plain/pay", "explain POST /token/pay",
            "explain GET /nowhere", "doctor", "doctor token --renew", "refresh token", "refresh lost", "audit",
            "providers", "audit --verify", "rotate plain", "otp plain", "login plain",
        ):
            said += _command(play, words, daemon.file)
        daemon.stop()
        said += _command(play, "status", daemon.file)
        api.token_answer = (400, json.dumps({"error": "invalid_client", "error_description": play.canaries["client"]}))
        said += _command(play, "doctor token --renew", daemon.file) + _command(play, "refresh token", daemon.file)
        api.token_answer = None
    figures.add("bytes that the commands said", said)


def _command(play, words, file, environment=None, name=None):
    arguments = words.split()
    if arguments[0] != "providers":
        arguments += ["--config", str(file)]
    done = subprocess.run(
        [play.terms.proxy, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS_MAX,
        env={**os.environ, **(environment or {})})
    said = done.stdout + done.stderr
    number = len(list(play.shown.glob("command-*")))
    (play.shown / f"command-{number}-{name or arguments[0]}").write_bytes(f"{done.returncode}\n".encode() + said)
    return len(said)


def log_in(figures, play, api):
    """A login through a browser that writes down what it is given, with a secret in the environment."""
    folder = play.path / "login"
    folder.mkdir()
    browser = folder / "xdg-open"
    browser.write_text(
        f'#!/bin/sh\ntr "\\0" "\\n" < /proc/$$/environ > "{play.shown}/browser-environ"\n'
        f'cd "{play.shown}"\necho "$@" > browser-words.part\nmv browser-words.part browser-words\n')
    browser.chmod(0o755)
    file = folder / "proxy.yaml"
    file.write_text(
        f"{failing.top(play, 'login')}providers:\n"
        + play.provider("people", api.port).replace("Bearer ${token}", "Bearer ${access} ${token}") +
        "    credentials:\n      access:\n        login:\n          authorize: https://people.test/authorize\n"
        "          query: { response_type: code, client_id: proof, state: '${state}', redirect_uri: '${redirect_uri}',"
        " code_challenge: '${code_challenge}', code_challenge_method: S256 }\n          pkce: true\n"
        f"          exchange: {{ post: 'https://127.0.0.1:{api.port}/token', form: {{ grant_type: authorization_code,"
        " code: '${code}', client_secret: '${token}', code_verifier: '${code_verifier}' } }\n"
        "        read: { token: access_token, expires_in: expires_in }\n")
    yaml = file.read_text().replace(f"${{file:{play.secrets}/token}}", "${env:PROOF_LOGIN}")
    file.write_text(yaml)
    environment = {
        **os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "DISPLAY": ":0",
        "PROOF_LOGIN": play.canaries["from-environment"]}
    with open(play.shown / "login-said", "wb") as said:
        process = subprocess.Popen(
            [play.terms.proxy, "login", "people", "--config", str(file)], stdin=subprocess.DEVNULL, stdout=said,
            stderr=said, env=environment)
    try:
        def words():
            if process.poll() is not None:
                raise rig.Failure(f"login: {(play.shown / 'login-said').read_text()}")
            found = play.shown / "browser-words"
            return found.exists() and found.read_text()

        query = urllib.parse.parse_qs(urllib.parse.urlsplit(rig.wait_until(words, "the browser").strip()).query)
        (play.shown / "login-cmdline").write_bytes(pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes())
        back = urllib.parse.urlencode({"code": play.canaries["code"], "state": query["state"][0]})
        with urllib.request.urlopen(f"{query['redirect_uri'][0]}?{back}", timeout=rig.PATIENCE) as page:
            (play.shown / "login-page").write_bytes(page.read())
        status = process.wait(COMMAND_SECONDS_MAX)
        figures.zero("a login that failed", int(status != 0), (play.shown / "login-said").read_text()[-300:])
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wrong_configurations(figures, play, api):
    """With secrets in clear where a problem is told: the words must do without them."""
    folder = play.path / "wrong"
    folder.mkdir()
    good = failing.top(play, "wrong") + "providers:\n" + play.provider("wrong", api.port)
    secret, token = play.canaries["client"], play.canaries["token"]
    text = json.dumps(secret)
    inline = good.replace(f"'${{file:{play.secrets}/token}}'", text)
    key = folder / "short"
    key.write_text(token[:12])
    lines = folder / "lines"
    lines.write_text(f"{token}\n{secret}\x01\n")
    quoted = urllib.parse.quote(secret, safe="")
    wrongs = {
        "in clear": inline,
        "no text": inline.replace(text, f"[{text}]"),
        "twice": inline.replace("secrets: {", f"secrets: {{ token: {text},"),
        "unused": good.replace("secrets: {", f"secrets: {{ other: {text},"),
        "as a key": good.replace("secrets: {", f"secrets: {{ {text}: x,"),
        "no yaml": inline + f"    x: {{ {text}\n",
        "as a header": good.replace("X-App-ID:", f"{text}:"),
        "in a url": good.replace("upstream: https://", f"upstream: https://proof:{quoted}@"),
        "as a number": good + f"    timeouts: {{ head: {text} }}\n",
        "as a provider": good.replace("  wrong:", f"  {text}:"),
        "in a template": good.replace("Bearer ${token}", "Bearer ${" + token + "}"),
        "with control characters": good.replace(f"{play.secrets}/token", str(lines)),
        "a short key": good.replace(f"{play.secrets}/state-key", str(key)),
        "a short admin token": good.replace(f"{play.secrets}/admin-token", str(key)),
        "redis": good.replace("providers:\n", f"shared: 'redis://user:{quoted}@elsewhere.test:1'\nproviders:\n", 1),
    }
    told = 0
    for number, (words, yaml) in enumerate(wrongs.items()):
        for mode in (0o600, 0o644):
            file = folder / f"{number}.yaml"
            file.write_text(yaml)
            file.chmod(mode)
            told += bool(_command(play, "check", file, name=f"check-{words.replace(' ', '-')}"))
    # What may stay in clear, and is told nonetheless, is what nobody can know to be a secret: a name.
    figures.add("configurations that were wrong", told)
