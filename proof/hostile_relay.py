"""Plays an upstream's hostile answers, and judges what its client got and what became of the connection."""

import asyncio
import contextlib
import socket
import struct

import hostile_answers as cases
import hostile_lanes as lanes
import hostile_wire as wire
from hostile_cases import NEVER, STAYS

# How long an idle connection that got bytes may stay open until the next request is sent after all.
NOTICED_WITHIN = 1


async def play(answer, reader, writer, heard):
    """The upstream's part. Whether its connection is open afterwards."""
    sock = writer.get_extra_info("socket")
    for number, piece in enumerate(answer.pieces):
        if piece is cases.IDLE:
            await asyncio.wait_for(heard.wait(), 60)
            continue
        if number:
            await asyncio.sleep(0.001)  # or two pieces would be one
        writer.write(piece)
        await writer.drain()
    if answer.end == cases.STAY:
        return True
    # What was written must have left, or an end without announcement would overtake it.
    if answer.end == cases.CLOSE:
        writer.close()
    elif answer.end == cases.FIN:
        sock.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.05)
        writer.transport.abort()
    else:
        await asyncio.sleep(0.005)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    return False


class Part:
    """The upstream in one case."""

    def __init__(self, answer):
        self.answer = answer
        self.heard, self.said = asyncio.Event(), asyncio.Event()
        # Connections that it was played on.
        self.numbers = []

    async def __call__(self, reader, writer, number):
        self.numbers.append(number)
        try:
            return await play(self.answer, reader, writer, self.heard)
        finally:
            self.said.set()


async def run(lane, answer):
    """One case: the hostile answer, a second request of the same client, and two of fresh ones."""
    lane.upstream.clear()
    lane.found, lane.case = [], answer
    lane.data = b"".join(piece for piece in answer.pieces if piece)
    lane.clean_calls += 1
    path = b"/answer/%d" % lane.clean_calls
    part = Part(answer)
    target = lanes.BASE + path
    lane.upstream.scripts[target] = part
    async with lanes.Client(lane.proxy_port) as client:
        route = lane.renewing_route if answer.renews else lane.route
        await client.send(b"%s %s%s HTTP/1.%d\r\nHost: 127.0.0.1:%d\r\n\r\n" % (
            answer.method, route, path, answer.minor, lane.proxy_port))
        # The proxy gives up a silent upstream after some seconds.
        await client.read_until(lambda: lane.has_answers(client, 1, [answer.method]), lane.patience + 5)
        part.heard.set()
        judge(lane, answer, client)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(part.said.wait(), 5)
        if cases.IDLE in answer.pieces or answer.end != cases.STAY:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(lane.upstream.over(part.numbers), NOTICED_WITHIN)
        # A client that got nonsense, or nothing, would not go on.
        if not client.has_ended and all(finding.kind == "grammar" for finding in lane.found):
            await follow(lane, answer, client)
        await lane.call_clean("a clean request after it")
        await lane.call_clean("the second clean request after it")
    if answer.reuse is False and (lane.is_ours or answer.everybody):
        again = [message.target for message, _, number in lane.upstream.arrived
                 if number in part.numbers and message.target != target]
        if again:
            lane.find("reused", f"for {again[0].decode()}")
    for fault in lane.upstream.faults:
        lane.find("poisoned", fault)
    del lane.upstream.scripts[target]
    lane.findings += lane.found


async def follow(lane, answer, client):
    """A second request of the same client, on the connection that it got the answer on, if it stays open."""
    before = len(client.data)
    lane.clean_calls += 1
    path = b"/clean/%d" % lane.clean_calls
    await client.send(b"GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (lane.route, path, lane.proxy_port))
    methods = [answer.method]
    await client.read_until(lambda: lane.has_answers(client, 2, methods), lane.patience)
    if len(client.data) > before or not client.has_ended:
        try:
            answers, rest = client.answers(methods, odd=[])
        except wire.Malformed as error:
            return lane.find("split", f"the next answer on the client's connection is none: {error}")
        if len(answers) != 2 or rest or answers[1].content != b"GET %s%s 0" % (lanes.BASE, path):
            # No answer, or an error, is harm enough; another answer is worse.
            kind = "split" if rest or len(answers) > 1 and answers[1].status < 500 else "poisoned"
            lane.find(kind, f"the client's next request was answered {bytes(client.data[before:])[:200]!r}")


def judge(lane, answer, client):
    """Of what the client has got by now."""
    data = bytes(client.data)
    must_be_whole = answer.expect == cases.WHOLE and (lane.is_ours or answer.everybody)
    if STAYS in data and lane.is_ours or NEVER in data:
        lane.find("hop-by-hop", f"in {data[:300]!r}")
    odd = []
    try:
        answers, rest = client.answers([answer.method], odd)
    except wire.Malformed as error:
        return lane.find("two readings", f"{error} in {data[:200]!r}")
    if odd:
        lane.find("grammar", f"{odd[0]} in {data[:200]!r}")
    if len(answers) > 1 or rest and answers:
        return lane.find("split", f"the client got more than an answer: {data[:300]!r}")
    differing = wire.differing_answers(data, answers, [answer.method], client.has_ended,
                                       odd) if answers else []
    if differing:
        return lane.find("two readings", f"{differing[0]} in {data[:200]!r}")
    if not answers:
        if not client.has_ended:
            return lane.find("told", f"nothing, or no end: {data[:200]!r}")
        if must_be_whole:
            return lane.find("lost", f"cut: {data[:200]!r}")
        if not data and lane.is_ours:
            return lane.find("told", "closed without a word")
        return None
    final = answers[0]
    problem = final.values(b"tollkey-problem")
    is_told = final.status >= 500 and (not lane.is_ours or problem in ([b"upstream-broke"], [b"upstream-timeout"]))
    is_whole = final.status == answer.status and final.content == answer.content
    if must_be_whole and not is_whole:
        return lane.find("lost", f"{final.status} {final.content[:100]!r}")
    if answer.expect == cases.CUT and not is_told:
        return lane.find("cut", f"{final.status} {final.content[:100]!r}")
    if answer.expect == cases.BROKEN and not is_told and (lane.is_ours or answer.everybody):
        return lane.find("told", f"broken, and relayed as {final.status} {final.content[:100]!r}")
    if answer.expect == cases.EITHER and not is_told and not is_whole and lane.is_ours:
        return lane.find("lost", f"neither told nor as it was: {final.status} {final.content[:100]!r}")
    if final.until_close and lane.is_ours and answer.minor == 1:
        return lane.find("split", "an answer without an end of its own")
    if answer.expect == cases.WHOLE:
        for name, value in answer.fields:
            if value not in final.values(name):
                return lane.find("lost", f"{name.decode()} is {final.values(name)}")
    return None
