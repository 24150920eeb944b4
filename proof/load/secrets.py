"""Secrets, where the proxy talks most: at its most talkative level, while everything fails, in every command, and to
another user's tools.

Secrets come from files here. One that comes from ${env:NAME} stands in the environment that the process was started
with, by nature, and /proc/PID/environ shows it to root.
"""

import asyncio
import json
import os
import urllib.parse

import canaries
import rig
from load import callers, commands, failing, other_user, stage, upstream


def run(terms, path):
    figures = stage.Figures("secrets")
    play = stage.Stage(path, terms)
    for name in ("clients-own", "code", "from-environment"):
        play.secret(name)
    with upstream.Upstream(play.authority.server_context(), play.tokens) as api:
        uid = other_user.prepare(play)
        _talk(figures, play, api, uid)
        commands.commands(figures, play, api)
        commands.log_in(figures, play, api)
        commands.wrong_configurations(figures, play, api)
        other_user.look(figures, play, api, uid)
    size = sum(file.stat().st_size for file in play.shown.rglob("*") if file.is_file())
    figures.add("searched, KiB, for so many canaries", f"{size >> 10}, {len(play.canaries)}")
    places = play.seen()
    figures.zero("canaries seen", len(places), "; ".join(places[:10]))
    # The same search over what must hold them: it is no proof otherwise.
    held = canaries.search(play.secrets, play.canaries)
    names = {line.split(":")[0] for line in held}
    figures.zero("canaries that the same search misses where they are", len(set(os.listdir(play.secrets)) - names))
    return figures


def _talk(figures, play, api, uid):
    with failing.daemon(play, "talk", failing.providers(play, api), uid) as daemon:
        asyncio.run(_fail(figures, play, daemon, api))
        daemon.stop()


async def _fail(figures, play, daemon, api):
    mine = play.canaries["clients-own"]
    fields = tuple(f"{name}: {mine}" for name in ("Authorization", "Cookie", "X-Api-Key", "Idempotency-Key"))
    query = urllib.parse.quote(mine, safe="")
    tally = callers.Tally()

    async def ask(target, method="GET", content=None):
        """Its answer is searched unless it is the provider's own."""
        answer = await tally.hear(callers.call(daemon.port, method, target, content, fields))
        if answer and ("tollkey-problem" in answer.fields):
            daemon.note(answer)

    answers = _token_answers(api.tokens[0], play.canaries["client"])
    for number, answer in enumerate(answers):
        api.token_answer = answer
        # Refused from now on, so that calls ask for another as well.
        refused = (play.tokens[number % 2], play.canaries["token"]) if number % 3 == 1 else ()
        api.refuses = {f"Bearer {token}" for token in refused}
        _, words = await asyncio.to_thread(daemon.admin, "/refresh/token", "POST")
        (play.shown / f"refresh-{number}").write_bytes(words)
        for provider in ("plain", "token", "limited", "dead", "lost", "mistrusting"):
            await ask(f"/{provider}/pay?api_key={query}")
            await ask(f"/{provider}/status?code=503&key={query}", "POST", mine.encode())
            await ask(f"/{provider}/fail?bytes={10 + number}&key={query}", "POST", mine.encode())
        if number < play.terms.of(len(answers), 1):
            await ask(f"/plain/wait?seconds=2&key={query}")
        await ask("/plain/echo")
        await ask(f"/nowhere?key={query}")
    api.token_answer, api.refuses = None, set()
    for text in _wrong_requests(mine, query):
        reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
        writer.write(text.encode())
        daemon.note(await tally.hear(asyncio.wait_for(callers.read_answer(reader), rig.PATIENCE)))
        writer.close()
    await asyncio.to_thread(_ask_operators_listener, play, daemon)
    figures.add("calls while everything fails", sum(tally.counts.values()))
    figures.add("kinds of failures that were answered", sum(len(words.split()) == 2 for words in tally.counts))
    # A canary in what reached the provider says that they were really in use.
    answer = await callers.call(daemon.port, target="/plain/echo")
    figures.zero("credentials that were not sent", int(play.canaries["token"].encode() not in answer.content))


def _token_answers(token, client):
    """What a token endpoint may say, with secrets wherever it can put them: status and content; None is as it should
    be."""
    return [
        None,
        (500, client),
        (400, json.dumps({"error": "invalid_client", "error_description": f"not {client}"})),
        (400, json.dumps({"error": client})),
        (200, f"<html>{client} {token}"),
        (200, json.dumps({"access_token": token + "\n"})),
        (200, json.dumps({"access_token": token, "expires_in": f"soon {token}"})),
        (302, token),
        (200, f'{{"access_token":"{token}'),
        (429, json.dumps({"error": "slow_down", "error_uri": f"https://x/?token={token}"})),
        (200, json.dumps({"error": "server_error", "access_token": token})),
        None,
    ]


def _wrong_requests(mine, query):
    """With a client's own secret where a parser might repeat it."""
    host = "Host: localhost\r\n"
    return (
        f"GET /plain/pay HTTP/1.1\r\n{host}Authorization : {mine}\r\n\r\n",
        f"GET /plain/pay HTTP/1.1\r\nHost: {query}\r\n\r\n",
        f"GET /plain/pay HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: {mine}\r\n\r\n",
        f"GET /plain/../{query} HTTP/1.1\r\n{host}\r\n",
        f"{mine} / HTTP/1.1\r\n{host}\r\n",
        f"GET /plain/pay HTTP/1.1\r\n{host}X: {mine * 1000}\r\n\r\n",
        f"POST /plain/pay HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n{mine}\r\n",
        f"GET /plain/pay HTTP/1.1\r\n{host}Origin: https://{query}.test\r\n\r\n",
    )


def _ask_operators_listener(play, daemon):
    mine = urllib.parse.quote(play.canaries["clients-own"], safe="")
    asked = (("/reload", "POST"), ("/log?level=debug", "POST"), ("/nothing", "GET"), (f"/refresh/{mine}", "POST"))
    for number, (target, method) in enumerate(asked):
        (play.shown / f"admin-{number}").write_bytes(daemon.admin(target, method)[1])
