"""What each part of the soak stands on: a daemon whose every secret is a canary, and what it let out."""

import contextlib
import dataclasses
import pathlib
import random
import re
import resource
import time

import canaries
import rig


def as_user(uid):
    """Stands in front of a command that another user is to run; nothing when that is nobody."""
    if uid is None:
        return ()
    return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


@dataclasses.dataclass
class Terms:
    """How it was asked for on the command line."""

    proxy: str
    is_short: bool
    chance: random.Random

    def of(self, full, short):
        return short if self.is_short else full


class Figures:
    """Rows of the table, and what should not have been found."""

    def __init__(self, name):
        self.name, self.rows, self.findings = name, [], []

    def add(self, words, figure):
        self.rows.append((f"{self.name}: {words}", figure))

    def zero(self, words, count, otherwise=""):
        """A count whose every one is a finding."""
        self.add(words, count)
        if count:
            self.findings.append(f"{self.name}: {words}: {count}{otherwise and f' ({otherwise})'}")

    def expect(self, words, figure, is_good, otherwise):
        self.add(words, figure)
        if not is_good:
            self.findings.append(f"{self.name}: {words}: {figure}, {otherwise}")


def raise_descriptor_limit(wanted):
    """As many descriptors as the system lets us have, up to `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit if soft == resource.RLIM_INFINITY else max(soft, limit)


class Daemon(rig.Daemon):
    """As the rig's. `listener` is handed over as a service manager would, and stays when the daemon goes."""

    def __init__(self, *arguments, listener=None, **named):
        self.listener = listener
        self.seen = pathlib.Path(arguments[0]) / "seen"
        self.answers = set()
        if listener:
            number = listener.fileno()
            self.handed_over = (number,)
            # Only the process itself knows the number that LISTEN_PID must have.
            hand_over = f'exec 3<&{number}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
            named["wrapper"] = ("/bin/sh", "-c", hand_over, "sh", *named.get("wrapper", ()))
            named["port"] = listener.getsockname()[1]
        super().__init__(*arguments, **named)

    def start(self):
        super().start()
        rig.wait_until(self._answers, "the daemon's first answer")

    def _answers(self):
        self._is_up()
        with contextlib.suppress(OSError):
            return self.admin("/live")[0] == 200

    def memory(self):
        """Pss in all, and the part of it that is nobody else's (anonymous): other processes come and go, and with
        them the share of program files that counts as ours."""
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = {name: int(value) << 10 for name, value in re.findall(r"^(Pss\w*): +(\d+) kB", text, re.M)}
        return found["Pss"], found.get("Pss_Anon", found["Pss"])

    def connections(self, side, *states):
        """Open ones of `client` or `upstream`, by what they do; without a state all of them."""
        lines = self.admin("/metrics")[1].decode().splitlines()
        wanted = [f'side="{side}",state="{state}"' for state in states or ("active", "idle")]
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines
            if line.startswith("tollkey_connections{") and any(part in line for part in wanted))

    def own_descriptors(self):
        """Those that no call and no provider needs."""
        # The last question's own connection to the admin socket must be gone.
        time.sleep(0.2)
        count = self.descriptors()
        return count - int(self.connections("upstream") + self.connections("client"))

    def leaked_descriptors(self, before, seconds=rig.PATIENCE):
        """How many there are beyond `before`, once those that go have gone."""
        with contextlib.suppress(rig.Failure):
            rig.wait_until(lambda: self.own_descriptors() <= before, "descriptors", seconds)
        return max(0, self.own_descriptors() - before)

    def note(self, answer):
        """Keeps the content of an answer that was no success, for the search."""
        if answer and answer.status >= 400 and len(self.answers) < 10_000:
            self.answers.add(str(answer.fields).encode() + b"\n" + answer.content)

    def gather(self):
        """Writes down what the daemon shows of itself."""
        self.seen.mkdir(exist_ok=True)
        (self.seen / f"answers-{self.pid}").write_bytes(b"\n\n".join(self.answers))
        if self.process.poll() is not None:
            return
        for target in ("/status", "/metrics", "/", "/ready", "/live"):
            name = f"admin{target.replace('/', '-')}-{self.pid}"
            (self.seen / name).write_bytes(self.admin(target)[1])
        (self.seen / f"cmdline-{self.pid}").write_bytes(pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes())
        for child in children(self.pid):
            with contextlib.suppress(OSError):
                for kind in ("environ", "cmdline"):
                    shown = pathlib.Path(f"/proc/{child}/{kind}").read_bytes()
                    (self.seen / f"child-{kind}-{child}").write_bytes(shown)

    def stop(self, *arguments, **named):
        self.gather()
        return super().stop(*arguments, **named)

    def __exit__(self, *exception):
        # What a finding says must not be hidden by a daemon that can no longer be asked.
        with contextlib.suppress(OSError, rig.Failure):
            self.gather()
        super().__exit__(*exception)


def children(pid):
    found = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in path.read_text().split()]
    return found


class Stage:
    """Certificates, secrets in files, and a folder for each daemon. Its folder ends with the proof's."""

    def __init__(self, path, terms):
        self.path, self.terms = pathlib.Path(path), terms
        self.path.mkdir(exist_ok=True)
        self.authority = rig.Authority(self.path / "authority")
        self.shown = self.path / "shown"
        self.shown.mkdir(exist_ok=True)
        self.secrets = self.path / "secrets"
        self.secrets.mkdir(exist_ok=True)
        self.canaries = {}
        for name in ("token", "app"):
            self.secret(name)
        for name in ("client", "state-key", "admin-token"):
            self.secret(name, "secret" if name == "client" else "token")
        for number in range(1, 5):
            self.canaries[f"obtained-{number}"] = canaries.make(terms.chance)

    def secret(self, name, kind="token"):
        """Puts a canary where a configuration may refer to it."""
        self.canaries[name] = canaries.make(self.terms.chance, kind)
        file = self.secrets / name
        file.write_text(self.canaries[name])
        file.chmod(0o600)
        return file

    @property
    def tokens(self):
        """What a token endpoint is to give, in this order."""
        return [self.canaries[f"obtained-{number}"] for number in range(1, 5)]

    def top(self, log="{ sample: 0.01 }"):
        return (
            f"log: {log}\nstate_key: '${{file:{self.secrets}/state-key}}'\n"
            f"admin_tokens: {{ ops: '${{file:{self.secrets}/admin-token}}' }}\n")

    def provider(self, name, port, more="", token_port=None):
        """YAML of a provider at loopback's `port`: with a static token, or one from the token endpoint at
        `token_port`."""
        yaml = (
            f"  {name}:\n"
            f"    upstream: https://{rig.HOST}:{port}\n"
            f"    addresses: ['127.0.0.1:{port}']\n"
            f"    tls: {{ ca: {self.authority.certificate} }}\n")
        if token_port is None:
            yaml += (
                f"    secrets: {{ token: '${{file:{self.secrets}/token}}', app: '${{file:{self.secrets}/app}}' }}\n"
                "    inject: { Authorization: 'Bearer ${token}', X-App-ID: '${app}' }\n")
        else:
            yaml += (
                f"    secrets: {{ client: '${{file:{self.secrets}/client}}', app: '${{file:{self.secrets}/app}}' }}\n"
                "    inject: { Authorization: 'Bearer ${access}', X-App-ID: '${app}' }\n"
                "    credentials:\n      access:\n"
                f"        obtain: {{ post: 'https://127.0.0.1:{token_port}/token',"
                " form: { grant_type: client_credentials, client_id: proof, client_secret: '${client}' } }\n"
                "        read: { token: access_token, expires_in: expires_in }\n")
        return yaml + more

    def daemon(self, name, providers, top=None, **named):
        return Daemon(
            self.shown / name, f"{top or self.top()}providers:\n{providers}", binary=self.terms.proxy, **named)

    def seen(self):
        """Where a canary was seen that should not have been."""
        return canaries.search(self.shown, self.canaries)
