#!/usr/bin/env python3
"""Checks deploy/compose and deploy/kubernetes, as far as that goes without Docker and without a cluster.

usage: deploy-test.py [BINARY] [--without KEY]...

All YAML parses; what one part names another one has (volumes, files, secrets, selectors, services); and each proxy.yaml
passes `BINARY check`, with invented secrets in the places that it names. --without takes keys out of them first, for a
binary that does not know them yet. Without PyYAML, or without a binary, that part is left out with a word.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import yaml
except ImportError:
    print("skipped: deploy/compose and deploy/kubernetes (no PyYAML; Debian's package is python3-yaml)")
    sys.exit(0)

ROOT = Path(__file__).resolve().parent.parent
SECRETS = "/run/secrets/"

mistakes = []


def mistake(where, what):
    mistakes.append(f"{where}: {what}")


def secret_files(text):
    """What a proxy.yaml reads below /run/secrets, by references and as paths."""
    return set(re.findall(re.escape(SECRETS) + r"([\w.-]+)", text))


def probes_of_the_binary(where, command):
    if command[:2] != ["tollkey", "status"] or command[2] not in ("--live", "--ready"):
        mistake(where, f"{command} is no question that the binary answers")


def compose(path):
    """Yields (name, text) of each proxy.yaml that the file mounts."""
    file = yaml.safe_load(path.read_text())
    services, secrets, volumes = file["services"], file.get("secrets", {}), file.get("volumes", {})
    for name, service in services.items():
        where = f"{path.name} {name}"
        depends = service.get("depends_on", {})
        shared = [service["network_mode"].removeprefix("service:")] if "network_mode" in service else []
        for other in [*depends, *shared]:
            if other not in services:
                mistake(where, f"there is no service {other}")
        for network in service.get("networks", []):
            if network not in file.get("networks", {}):
                mistake(where, f"there is no network {network}")
        for secret in service.get("secrets", []):
            if secret not in secrets:
                mistake(where, f"there is no secret {secret}")
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            if not source.startswith("."):
                if source not in volumes:
                    mistake(where, f"there is no volume {source}")
                continue
            if not (path.parent / source).is_file():
                mistake(where, f"{source} is not there")
            elif target == "/etc/tollkey/proxy.yaml":
                text = (path.parent / source).read_text()
                for wanted in secret_files(text) - set(service.get("secrets", [])):
                    mistake(where, f"{source} reads the secret {wanted}, which is not mounted")
                yield f"{path.name} {source}", text
    for name, secret in secrets.items():
        if secret["file"] != f"./secrets/{name}":
            mistake(path.name, f"the secret {name} is not in ./secrets")
        if f"secrets/{name}" not in (path.parent / "compose.yaml").read_text() + path.read_text().split("services:")[0]:
            mistake(path.name, f"nobody is told how to make secrets/{name}")


def kubernetes(path):
    """The same for a file of Kubernetes' objects."""
    objects = [each for each in yaml.safe_load_all(path.read_text()) if each]
    for each in objects:
        if not each.get("apiVersion") or not each.get("kind") or not each.get("metadata", {}).get("name"):
            mistake(path.name, "an object without apiVersion, kind or name")
    maps = {each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"}
    made = set(re.findall(r"--from-file=([\w.-]+)", path.read_text()))
    for each in objects:
        if each["kind"] != "Deployment":
            continue
        template = each["spec"]["template"]
        if each["spec"]["selector"]["matchLabels"].items() - template["metadata"]["labels"].items():
            mistake(path.name, "the selector does not select the template")
        pod = template["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in pod.get("initContainers", []) + pod["containers"]:
            where = f"{path.name} {container['name']}"
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    mistake(where, f"there is no volume {mount['name']}")
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    probes_of_the_binary(where, container[probe]["exec"]["command"])
        if pod["terminationGracePeriodSeconds"] <= 30:
            mistake(path.name, "ends before timeouts.drain does")
        sidecar = pod["initContainers"][0]
        if sidecar.get("restartPolicy") != "Always":
            mistake(path.name, "the init container is no sidecar")
        places = {mount["mountPath"]: volumes.get(mount["name"], {}) for mount in sidecar["volumeMounts"]}
        if "configMap" not in places["/etc/tollkey"]:
            mistake(path.name, "no ConfigMap is mounted at /etc/tollkey")
            continue
        text = maps[places["/etc/tollkey"]["configMap"]["name"]]["proxy.yaml"]
        if "secret" not in places[SECRETS.rstrip("/")]:
            mistake(path.name, f"no secret is mounted at {SECRETS}")
        for wanted in secret_files(text) ^ made:
            mistake(path.name, f"the secret {wanted} is either not made or not read")
        yield f"{path.name} ConfigMap", text


def without(text, keys):
    """The text less top-level keys, and what belongs to them."""
    for key in keys:
        text = re.sub(rf"^{re.escape(key)}:.*\n(?:[ \t]+.*\n)*", "", text, flags=re.M)
    return text


def check(binary, where, text, certificate):
    with tempfile.TemporaryDirectory() as folder:
        for name in secret_files(text):
            content = certificate if name.endswith(".pem") else "0123456789abcdef" * 4
            Path(folder, name).write_text(content)
        text = text.replace(SECRETS, f"{folder}/")
        file = Path(folder, "proxy.yaml")
        file.write_text(text)
        ran = subprocess.run(
            [binary, "check", "--config", file], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": folder},
        )
        if ran.returncode != 0:
            mistake(where, f"exit status {ran.returncode}\n{(ran.stdout + ran.stderr).strip()}")


def main():
    arguments = sys.argv[1:]
    removed = []
    while "--without" in arguments:
        at = arguments.index("--without")
        removed.append(arguments[at + 1])
        del arguments[at : at + 2]
    binary = arguments[0] if arguments else None

    found = []
    for path in sorted((ROOT / "deploy/compose").glob("compose*.yaml")):
        found += compose(path)
    for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")):
        found += kubernetes(path)
    if len(found) < 4:
        mistake("deploy", f"only {len(found)} proxy.yaml were found")
    if 'CMD ["/usr/local/bin/tollkey", "status", "--ready"]' not in (ROOT / "Dockerfile").read_text():
        mistake("Dockerfile", "has no health check by the binary")

    if binary and Path(binary).exists():
        bundle = Path("/etc/ssl/certs/ca-certificates.crt")
        certificate = re.search(r"-----BEGIN.*?END CERTIFICATE-----\n", bundle.read_text(), re.S)[0]
        for where, text in dict(found).items():
            check(binary, where, without(text, removed), certificate)
    else:
        print("skipped: whether each proxy.yaml passes `tollkey check` (no binary: make build)")

    for line in mistakes:
        print(line, file=sys.stderr)
    if mistakes:
        sys.exit(1)
    print(f"{len(found)} configurations in compose and Kubernetes files: all fit")


main()
