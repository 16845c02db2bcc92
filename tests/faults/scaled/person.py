"""Somebody who uses the product all the time, and remembers what was promised."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.faults.scaled.asking import Received, ask_streamed, ask_whole
from tests.faults.scaled.doors import PATIENCE_SECONDS, Doors, GivenUpError
from tests.faults.scaled.files import a_marked_file
from tests.faults.scaled.model import a_question
from tests.support.product import PASSWORD

LONGEST_PAUSE_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that was accepted."""

    document_id: str
    marker: str
    data: bytes


@dataclass(slots=True)
class Person:
    """One account. Two things happen at the same time: work with files, and questions."""

    door: Doors
    chance: random.Random
    username: str
    refresh_token: str = ""
    kept: dict[str, Kept] = field(default_factory=dict)
    gone: dict[str, Kept] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    session_id: str | None = None
    degraded: dict[str, int] = field(default_factory=dict)
    resting: asyncio.Event = field(default_factory=asyncio.Event)

    async def register(self) -> None:
        """Open the account and sign in."""
        body = {"username": self.username, "email": f"{self.username}@example.com", "password": PASSWORD}
        await self.door.send("register", "POST", "/api/v1/auth/register", json=body, expected=[409])
        await self.sign_in()

    async def live(self) -> None:
        """Go on until ``resting`` is set, and then finish what is under way."""
        files = (self.upload, self.upload, self.upload, self.delete, self.list, self.search, self.refresh, self.sign_in)
        questions = (self.ask, self.stream, self.stream_resumable, self.stream_resumable, self.ask_later)
        await asyncio.gather(self._repeat(files), self._repeat(questions))

    async def _repeat(self, deeds: tuple[Callable[[], Coroutine[Any, Any, None]], ...]) -> None:
        while not self.resting.is_set():
            try:
                await self.chance.choice(deeds)()
            except GivenUpError as error:
                self.door.tally.failures.append(f"{error}: refused for {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE_SECONDS))

    async def sign_in(self) -> None:
        """Sign in anew."""
        body = {"username": self.username, "password": PASSWORD}
        response = await self.door.send("sign-in", "POST", "/api/v1/auth/login", json=body)
        if response is not None and response.status_code == 200:
            self._take(response.json())

    async def refresh(self) -> None:
        """Buy a new pair of tokens. One whose answer was lost must not be sent twice."""
        body = {"refresh_token": self.refresh_token}
        response = await self.door.send("refresh", "POST", "/api/v1/auth/refresh", json=body, once=True)
        if response is not None and response.status_code == 200:
            self._take(response.json())
        else:
            await self.sign_in()

    def _take(self, tokens: dict[str, Any]) -> None:
        self.door.sign(tokens["access_token"])
        self.refresh_token = tokens["refresh_token"]

    async def upload(self) -> None:
        """Upload a new file."""
        marker, filename, data = a_marked_file(self.chance)
        response = await self.door.send("upload", "POST", "/api/v1/chat/upload", files={"file": (filename, data)})
        if response is not None and response.status_code == 202:
            kept = Kept(response.json()["id"], marker, data)
            self.kept[kept.document_id] = kept

    async def delete(self) -> None:
        """Delete a document. Asked for again, it may be gone already."""
        if len(self.kept) > 3:
            kept = self.kept.pop(self.chance.choice(sorted(self.kept)))
            self.gone[kept.document_id] = kept
            await self.door.send("delete", "DELETE", f"/api/v1/chat/documents/{kept.document_id}", expected=[404])

    async def list(self) -> None:
        """Look at documents, conversations, tasks, the account and the state of the system."""
        paths = ("chat/documents?limit=50", "chat/sessions", "chat/tasks", "auth/me", "auth/me/usage")
        await self.door.send("list", "GET", f"/api/v1/{self.chance.choice(paths)}")
        for kept in list(self.kept.values())[-1:]:
            await self.door.send("document", "GET", f"/api/v1/chat/documents/{kept.document_id}")

    async def search(self) -> None:
        """Search for something, and count what was degraded."""
        response = await self.door.send("search", "POST", "/api/v1/chat/search", json={"query": f"the object {self._marker()}"})
        if response is not None and response.status_code == 200:
            legs = ", ".join(response.json()["degraded"]) or "nothing"
            self.degraded[legs] = self.degraded.get(legs, 0) + 1

    async def ask(self) -> None:
        """Ask, and wait for the whole answer."""
        body, token = self._question()
        self._note(await ask_whole(self.door, body, token))

    async def stream(self) -> None:
        """Ask, and read the answer as it comes."""
        body, token = self._question()
        self._note(await ask_streamed(self.door, body, token))

    async def stream_resumable(self) -> None:
        """The same, and go on reading somewhere else when the stream breaks."""
        body, token = self._question()
        self._note(await ask_streamed(self.door, {**body, "resumable": True}, token))

    async def ask_later(self) -> None:
        """Ask in the background, in a conversation of its own."""
        body, _ = self._question(alone=True)
        response = await self.door.send("background", "POST", "/api/v1/chat/background", json=body)
        if response is not None and response.status_code == 202:
            self.tasks.append(response.json()["id"])

    def _question(self, *, alone: bool = False) -> tuple[dict[str, Any], str]:
        query, token = a_question(self._marker())
        going_on = self.session_id is not None and not alone and self.chance.random() < 0.3
        return {"query": query, **({"session_id": self.session_id} if going_on else {})}, token

    def _marker(self) -> str:
        return self.chance.choice([kept.marker for kept in self.kept.values()] or [uuid4().hex])

    def _note(self, received: Received | None) -> None:
        if received is not None:
            self.received.append(received)
            self.session_id = received.session_id
