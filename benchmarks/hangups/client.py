"""A client that asks, reads for a while, and hangs up."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from time import monotonic_ns

from benchmarks.streams.client import TOKEN

LONGEST_SECONDS = 30.0
MOST_TOKENS = 20
MOMENTS = ("while it thinks", "at the first byte", "at a token", "at a token", "at a token")
"""When they hang up, in turn."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: to close is to reset."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where to ask. ``request`` makes the bytes of a question; an answer that is not ``streamed`` comes when it is whole."""

    name: str
    port: int
    request: Callable[[int], bytes]
    streamed: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a door's hang-ups: milliseconds until the model's stream was closed, and those that were never closed.

    ``late`` are those that the model was asked only after the client had left.
    """

    name: str
    closed: Sequence[float]
    open: int = 0
    late: int = 0

    @property
    def count(self) -> int:
        return len(self.closed) + self.open

    def within(self, milliseconds: float) -> int:
        return sum(one <= milliseconds for one in self.closed)

    def line(self) -> str:
        """Return it as a row of a table."""
        ordered = sorted(self.closed) or [float("nan")]
        figures = (median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1])
        return f"{self.name:28} {self.count:8} {self.late:8}" + "".join(f"{one:9.1f}" for one in figures) + f"{self.within(100):9}"


def row(name: str, hung_up: dict[int, int], asked: dict[str, int], closed: dict[str, int]) -> Row:
    """Compare when clients hung up with what the model noted; both in nanoseconds.

    A question that had not reached the model when its client left, and never did, tells nothing and is not counted. One that
    reached it after that counts from then on: so long the model works for nobody.
    """
    known = {str(number): moment for number, moment in hung_up.items() if str(number) in asked}
    times = [(closed[number] - max(moment, asked[number])) / 1e6 for number, moment in known.items() if number in closed]
    return Row(name, times, len(known) - len(times), sum(moment < asked[number] for number, moment in known.items()))


async def hang_up(door: Door, number: int, chance: Random, together: asyncio.Barrier | None = None) -> int:
    """Ask, read until it is time, and hang up: half of them by resetting the connection. Returns the moment, in nanoseconds.

    Those who leave ``together`` wait for each other.
    """
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        async with asyncio.timeout(LONGEST_SECONDS):
            await loop.sock_connect(connection, ("127.0.0.1", door.port))
            await loop.sock_sendall(connection, door.request(number))
            moment = MOMENTS[number % len(MOMENTS)]
            if not door.streamed or moment == "while it thinks":
                await asyncio.sleep(chance.uniform(0, 0.06 if door.streamed else 1))
            else:
                await _read(connection, 0 if moment == "at the first byte" else chance.randint(1, MOST_TOKENS))
            if together is not None:
                await together.wait()
        left = monotonic_ns()
        if number // len(MOMENTS) % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            connection.shutdown(socket.SHUT_RDWR)
        return left


async def _read(connection: socket.socket, tokens: int) -> None:
    """Read until the body has begun, and so many tokens came."""
    loop, seen = asyncio.get_running_loop(), b""
    while b"\r\n\r\n" not in seen or len(TOKEN.findall(seen)) < tokens:
        data = await loop.sock_recv(connection, 65536)
        if not data or not (seen + data).startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"No answer: {(seen + data)[-300:].decode(errors='replace')}")
        seen += data
