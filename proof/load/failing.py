"""Providers that fail, each in its way, and a daemon that says all it ever says about it."""

import os

import rig
from load import stage

TALK = "{ level: debug, access: true, sample: 1 }"


def providers(play, api):
    dead = rig.free_port()
    short = "    credential_wait: 1s\n    timeouts: { head: 500ms, connect: 500ms }\n"
    untrusted = rig.Authority(play.path / "elsewhere").certificate
    untrusted.parent.chmod(0o755)
    untrusted.chmod(0o644)
    limited = "    categories: { all: { match: ['* /**'], limit: 3/hour } }\n"
    mistrusting = play.provider("mistrusting", api.port, short).replace(str(play.authority.certificate), str(untrusted))
    return (
        play.provider("plain", api.port, short + "    probe: { get: /pay, authenticated: true }\n")
        + play.provider("token", api.port, short, token_port=api.port) + play.provider("limited", api.port, limited)
        + play.provider("dead", dead, short) + play.provider("lost", api.port, short, token_port=dead) + mistrusting)


def daemon(play, name, providers, uid, before=()):
    folder = play.shown / name
    folder.mkdir()
    if uid is not None:
        os.chown(folder, uid, uid)
    return play.daemon(name, providers, top=play.top(TALK), wrapper=(*before, *stage.as_user(uid)))


def top(play, name):
    """Of a configuration without a daemon."""
    return f"state: {play.shown}/{name}-state\nadmin: 'unix:{play.path}/{name}.sock'\n{play.top(TALK)}"
