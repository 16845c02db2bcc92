"""A rolling restart while answers are being streamed: what becomes of each of them, and of what is asked meanwhile."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.support.events import ServerSentEvent, events_of
from tests.support.members import members_of, until
from tests.support.product import Account, Product

WORDS = {"short": 8, "middle": 60, "long": 20_000}
"""How many words the model says, by the question's last word."""


def reply_of(request: dict[str, object]) -> list[str]:
    """Say as much as is asked for."""
    messages = request["messages"]
    assert isinstance(messages, list)
    asked = str(messages[-1]["content"]).split()
    length = next((word for word in reversed(asked) if word in WORDS), "short")
    return [f"word{number} " for number in range(WORDS[length])]


@dataclass(slots=True)
class Streamed:
    """An answer as its client got it: the text, and how it ended; ``None`` is an end without a mark."""

    session_id: str = ""
    message_id: str = ""
    text: str = ""
    ended: str | None = None

    def take(self, event: ServerSentEvent) -> bool:
        """Take an event in; return whether the model has said something by now."""
        match event.name:
            case "run":
                self.session_id, self.message_id = event.data["session_id"], event.data["message_id"]
            case "delta":
                self.text += event.data["text"]
            case "done":
                self.ended = event.data["status"]
            case "error":
                self.ended = "incomplete" if event.data["code"] == "server_stopping" else event.data["code"]
        return self.text != ""


@dataclass(slots=True)
class Rolled:
    """What was seen; ``spread`` is how many sockets each process had while all was streamed, those to its servers too."""

    outcomes: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    spread: list[int] = field(default_factory=list)

    @property
    def bad(self) -> dict[str, int]:
        """What must not happen: answers that are cut without a mark or stored otherwise than they were sent, failed requests."""
        fine = {"complete", "incomplete"}
        return {name: count for name, count in (self.outcomes + self.requests).items() if name not in fine and name != "ok"}

    def __str__(self) -> str:
        """Return the figures in a line."""
        return f"streams {dict(self.outcomes)}, requests meanwhile {dict(self.requests)}, sockets {self.spread}"


async def roll(product: Product, account: Account, streams: int, *, lengths: tuple[str, ...]) -> Rolled:
    """Send SIGHUP while so many answers are streamed, and requests come on old and new connections; look at all afterwards."""
    rolled = Rolled(before=members_of(product))
    answers = await asyncio.gather(*(_stream(product, account, lengths[number % len(lengths)]) for number in range(streams)))
    rolled.spread = [_sockets(pid) for pid in rolled.before]
    over = asyncio.Event()
    asking = [
        asyncio.create_task(_ask_on(product, account, rolled, over, fresh=fresh)) for fresh in (True, False) for _ in range(2)
    ]
    product.process.send_signal(signal.SIGHUP)
    said = len(product.lines)
    await until(lambda: any("processes are new" in line for line in product.lines[said:]), "the roll", within=240)
    over.set()
    await asyncio.gather(*asking)
    await asyncio.gather(*(reading for _, reading in answers))
    for answer, _ in answers:
        rolled.outcomes[await _outcome(account, answer)] += 1
    rolled.after = members_of(product)
    return rolled


async def _stream(product: Product, account: Account, length: str) -> tuple[Streamed, "asyncio.Task[None]"]:
    """Ask, and return once the model has begun to speak, with the task that reads on."""
    answer, begun = Streamed(), asyncio.Event()

    async def read() -> None:
        try:
            async with (
                product.client(Authorization=f"Bearer {account.access_token}") as client,
                client.stream("POST", "/api/v1/chat/query", json={"query": f"Say something {length}", "stream": True}) as response,
            ):
                if response.status_code != 200:
                    answer.ended = f"status {response.status_code}"
                    return
                async for event in events_of(response):
                    if answer.take(event):
                        begun.set()
        except httpx2.TransportError:
            answer.ended = None
        finally:
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    return answer, reading


async def _ask_on(product: Product, account: Account, rolled: Rolled, over: asyncio.Event, *, fresh: bool) -> None:
    """Send requests until it is over: each on a connection of its own, or one after the other on one that is kept."""
    while not over.is_set():
        async with product.client(Authorization=f"Bearer {account.access_token}") as client:
            for _ in range(1 if fresh else 10_000):
                try:
                    response = await client.get("/api/v1/auth/me")
                    rolled.requests["ok" if response.status_code == 200 else f"status {response.status_code}"] += 1
                except httpx2.TransportError as error:
                    rolled.requests[type(error).__name__] += 1
                if over.is_set():
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await over.wait()


def _sockets(pid: int) -> int:
    links = (os.readlink(descriptor) for descriptor in Path(f"/proc/{pid}/fd").iterdir() if descriptor.is_symlink())
    return sum(link.startswith("socket:") for link in links)


async def _outcome(account: Account, answer: Streamed) -> str:
    """Say what became of an answer: as it ended, if that is also what was stored."""
    path = f"/api/v1/chat/sessions/{answer.session_id}/messages"
    [*_, stored] = (await account.client.get(path)).raise_for_status().json()["items"]
    if answer.ended is None:
        return "cut without a mark"
    if not answer.message_id:
        return answer.ended
    if (stored["id"], stored["status"]) != (answer.message_id, answer.ended):
        return f"{answer.ended}, stored {stored['status']}"
    return answer.ended if stored["content"] == answer.text else f"{answer.ended}, stored otherwise"
