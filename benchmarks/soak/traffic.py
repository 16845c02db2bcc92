"""What people do with the product: all that leaves something behind if it is not cleaned up."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from benchmarks.streams.model import NAME
from tests.support.files import long_text
from tests.support.product import PASSWORD, Account

QUERY, UPLOAD, COMPLETIONS = "/api/v1/chat/query", "/api/v1/chat/upload", "/v1/chat/completions"
SESSION = re.compile(r'"session_id":"([0-9a-f-]{36})"')
KEPT = 3
"""Documents and conversations that somebody keeps; the oldest of more is deleted."""
PART = b'--soak\r\nContent-Disposition: form-data; name="file"; filename="cut.txt"\r\n\r\n'
HALF_AN_UPLOAD = PART + b"It ends in the mid" * 8_000
LISTS = (
    *("/api/v1/chat/sessions", "/api/v1/chat/documents", "/api/v1/chat/tasks"),
    *("/api/v1/auth/me", "/api/v1/auth/me/usage", "/api/v1/auth/keys", "/ready"),
)
DEEDS = {
    "ask": 8,
    "ask_openai": 4,
    "hang_up": 6,
    "leave_resumable": 1,
    "look": 10,
    "search": 3,
    "upload": 2,
    "break_off_an_upload": 2,
    "sign_in": 2,
    "use_a_key": 2,
    "ask_in_background": 1,
    "do_it_wrong": 3,
}


class BrokenOffError(Exception):
    """The client breaks its own upload off."""


@dataclass(slots=True)
class Tally:
    """What all people together did, and what of it went wrong."""

    requests: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    async def count(self, _request: httpx2.Request) -> None:
        """Count a request when it is sent."""
        self.requests += 1

    def expect(self, met: bool, response: httpx2.Response, *, said: str = "") -> bool:
        """Note what should not have been answered."""
        if not met:
            self.failures.append(f"{response.request.method} {response.request.url.path}: {response.status_code} {said[-200:]}")
        return met


@dataclass(slots=True)
class Person:
    """Somebody who does one thing after the other."""

    account: Account
    tally: Tally
    chance: Random
    documents: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)

    @property
    def client(self) -> httpx2.AsyncClient:
        """Their own client."""
        return self.account.client

    async def live(self) -> None:
        """Go on until cancelled."""
        while True:
            [deed] = self.chance.choices(list(DEEDS), list(DEEDS.values()))
            try:
                await getattr(self, deed)()
            except httpx2.TransportError as error:
                self.tally.failures.append(f"{deed}: {error!r}")
            self.tally.deeds[deed] += 1
            await asyncio.sleep(self.chance.uniform(0, 0.1))

    async def ask(self) -> None:
        """Ask, and read the whole answer; from documents, if there are any."""
        body = self._question()
        if self.sessions and self.chance.random() < 0.5:
            body["session_id"] = self.chance.choice(self.sessions)
        async with self.client.stream("POST", QUERY, json=body, headers=self._once()) as answer:
            said = (await answer.aread()).decode()
        if self.tally.expect(answer.status_code == 200 and "event: done" in said, answer, said=said):
            session = SESSION.search(said)
            if session is not None and session[1] not in self.sessions:
                self.sessions.append(session[1])
        if len(self.sessions) > KEPT:
            await self._delete(f"/api/v1/chat/sessions/{self.sessions.pop(0)}")

    async def ask_openai(self) -> None:
        """Ask at OpenAI's door, of documents or not, as a stream or not."""
        model, streamed = self.chance.choice([NAME, "docent"]), self.chance.random() < 0.5
        body = {"model": model, "messages": [{"role": "user", "content": self._words()}], "stream": streamed}
        async with self.client.stream("POST", COMPLETIONS, json=body) as answer:
            said = (await answer.aread()).decode()
        self.tally.expect(answer.status_code == 200 and ("[DONE]" in said or not streamed), answer, said=said)

    async def hang_up(self) -> None:
        """Ask, and leave in the middle of the answer."""
        await self._leave(self._question())

    async def leave_resumable(self) -> None:
        """Leave an answer that goes on for a while."""
        await self._leave({**self._question(), "resumable": True})

    async def look(self) -> None:
        """Read a list."""
        answer = await self.client.get(self.chance.choice(LISTS))
        self.tally.expect(answer.status_code == 200, answer, said=answer.text)

    async def search(self) -> None:
        """Search without asking."""
        answer = await self.client.post("/api/v1/chat/search", json={"query": self._words()})
        self.tally.expect(answer.status_code == 200, answer, said=answer.text)

    async def upload(self) -> None:
        """Upload something that nobody has, and delete the oldest."""
        answer = await self.account.upload("notes.md", long_text(6, f"{self.account.username} {self.chance.random()}"))
        if self.tally.expect(answer.status_code == 202, answer, said=answer.text):
            self.documents.append(answer.json()["id"])
        if len(self.documents) > KEPT:
            await self._delete(f"/api/v1/chat/documents/{self.documents.pop(0)}")

    async def break_off_an_upload(self) -> None:
        """Hang up in the middle of a file."""

        async def pieces() -> AsyncIterator[bytes]:
            yield HALF_AN_UPLOAD
            await asyncio.sleep(self.chance.uniform(0, 0.1))
            raise BrokenOffError

        try:
            await self.client.post(UPLOAD, content=pieces(), headers={"Content-Type": "multipart/form-data; boundary=soak"})
        except BrokenOffError:
            return

    async def sign_in(self) -> None:
        """Sign in once more, and out again."""
        login = {"username": self.account.username, "password": PASSWORD}
        answer = await self.client.post("/api/v1/auth/login", json=login)
        if self.tally.expect(answer.status_code == 200, answer, said=answer.text):
            answer = await self.client.post("/api/v1/auth/logout", json={"refresh_token": answer.json()["refresh_token"]})
            self.tally.expect(answer.status_code == 204, answer, said=answer.text)

    async def use_a_key(self) -> None:
        """Make an API key, use it, and delete it."""
        made = await self.client.post("/api/v1/auth/keys", json={"name": "soak", "scopes": ["documents:read"]})
        if self.tally.expect(made.status_code == 201, made, said=made.text):
            key = made.json()
            answer = await self.client.get("/api/v1/chat/documents", headers={"Authorization": f"Bearer {key['key']}"})
            self.tally.expect(answer.status_code == 200, answer, said=answer.text)
            await self._delete(f"/api/v1/auth/keys/{key['id']}")

    async def ask_in_background(self) -> None:
        """Ask what a worker answers."""
        answer = await self.client.post("/api/v1/chat/background", json={"query": self._words()}, headers=self._once())
        self.tally.expect(answer.status_code == 202, answer, said=answer.text)

    async def do_it_wrong(self) -> None:
        """Ask for what is not there, or for nothing, or as nobody."""
        nobody = {"Authorization": "Bearer nobody's"}
        wrong: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/api/v1/chat/documents/00000000-0000-7000-8000-000000000000", {}),
            ("POST", QUERY, {"json": {"query": ""}}),
            ("GET", "/api/v1/auth/me", {"headers": nobody}),
        ]
        method, path, more = self.chance.choice(wrong)
        answer = await self.client.request(method, path, **more)
        self.tally.expect(answer.status_code in {404, 422, 401}, answer, said=answer.text)

    async def go(self) -> None:
        """Delete the account, with everything."""
        answer = await self.client.request("DELETE", "/api/v1/auth/me", json={"password": PASSWORD})
        self.tally.expect(answer.status_code == 204, answer, said=answer.text)

    def _words(self) -> str:
        return f"What is known about {self.account.username} {self.chance.randint(1, 6)}, and how much does it weigh?"

    def _question(self) -> dict[str, Any]:
        return {"query": self._words(), "stream": True}

    def _once(self) -> dict[str, str]:
        """Half of the requests may come again."""
        return {"Idempotency-Key": self.chance.randbytes(16).hex()} if self.chance.random() < 0.5 else {}

    async def _leave(self, body: dict[str, Any]) -> None:
        async with self.client.stream("POST", QUERY, json=body) as answer:
            self.tally.expect(answer.status_code == 200, answer)
            async for _ in answer.aiter_bytes():
                if self.chance.random() < 0.4:
                    break

    async def _delete(self, path: str) -> None:
        answer = await self.client.delete(path)
        self.tally.expect(answer.status_code == 204, answer, said=answer.text)
