"""A client that asks over and over on many streams at once, and notes when each token was sent and when it came."""

import asyncio
import re
from array import array
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

TOKEN = re.compile(rb"t(\d{9,})\D")
OVERLAP = 64
"""Of what came before the last piece, so that a token is found which came in two."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask, and how: one request for each who asks. ``ends`` is what a whole answer ends with."""

    name: str
    port: int
    requests: tuple[bytes, ...]
    ends: bytes


@dataclass(slots=True)
class Seen:
    """What was seen within the time that counts. Times are in milliseconds."""

    begins: float
    ends: float
    firsts: "array[float]" = field(default_factory=lambda: array("d"))
    lags: "array[float]" = field(default_factory=lambda: array("d"))
    gaps: "array[float]" = field(default_factory=lambda: array("d"))
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    def counts(self, moment: float) -> bool:
        return self.begins <= moment < self.ends


class Answer(asyncio.Protocol):
    """One connection with one answer after the other."""

    def __init__(self, seen: Seen, ends: bytes) -> None:
        self._seen = seen
        self._ends = ends
        self._over: asyncio.Future[str | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> str | None:
        """Ask, and return what went wrong, if anything did."""
        if self._transport.is_closing():
            return "the connection was closed after the answer before"
        self._tail = b""
        self._last = 0.0
        self._status = b""
        self._whole = False
        self._over = asyncio.get_running_loop().create_future()
        self._asked = monotonic()
        self._transport.write(request)
        return await self._over

    def data_received(self, data: bytes) -> None:
        if self._over is None or self._over.done():
            return
        now, seen = monotonic(), self._seen
        if not self._status:
            self._status = data[9:12]
        data = self._tail + data
        end = 0
        for found in TOKEN.finditer(data):
            end = found.end()
            if not self._last and seen.counts(self._asked):
                seen.firsts.append((now - self._asked) * 1000)
            if seen.counts(now):
                seen.lags.append(now * 1000 - int(found[1]) / 1000)
                if self._last:
                    seen.gaps.append((now - self._last) * 1000)
            self._last = now
        self._whole = self._whole or self._ends in data
        self._tail = data[max(end, len(data) - OVERLAP) :]
        if data.endswith(b"0\r\n\r\n") or (self._status != b"200" and b"\r\n\r\n" in data):
            whole = self._status == b"200" and self._whole
            self._over.set_result(None if whole else f"{self._status.decode()} {data[-300:].decode(errors='replace')}")

    def close(self) -> None:
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(f"connection lost: {error!r}")


async def ask_at_once(target: Target, streams: int, *, warm_up: float, seconds: float, tokens: int) -> Seen:
    """Keep so many streams busy, begun one after the other within the length of an answer, and look at them for some seconds."""
    loop, begun = asyncio.get_running_loop(), monotonic()
    seen = Seen(begun + warm_up, begun + warm_up + seconds)

    async def one(number: int) -> None:
        await asyncio.sleep(number * warm_up * 0.7 / streams)
        turn = number
        while monotonic() < seen.ends:
            _, answer = await loop.create_connection(lambda: Answer(seen, target.ends), "127.0.0.1", target.port)
            with closing(answer):
                while monotonic() < seen.ends:
                    seen.asked += 1
                    failure = await answer.ask(target.requests[turn % len(target.requests)])
                    turn += streams
                    if failure is not None:
                        seen.failures.append(failure)
                        await asyncio.sleep(0.2)
                        break

    askers = [asyncio.create_task(one(number)) for number in range(streams)]
    await asyncio.sleep(seen.ends - monotonic())
    for asker in askers:
        asker.cancel()
    await asyncio.wait(askers)
    return seen
