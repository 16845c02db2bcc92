"""Requests as a proxy passes them on: what breaks before its answer is tried again at the next process, with the same key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx2

from tests.faults.scaled.tally import Tally
from tests.support.product import NO_TLS

PATIENCE_SECONDS = 100.0
"""How long somebody tries again: the key of a request whose process was killed is free after a minute.

It counts from the last time that a process died of which the request was: each time somebody else has to do it from the start.
"""
PAUSE_SECONDS = 0.3
AGAIN = frozenset({"idempotency_key_busy", "session_busy"})
"""Refusals that time heals: the process that began this may have been killed."""


class GivenUpError(Exception):
    """Nothing was answered in all that time."""


class Doors:
    """The API processes as one person reaches them."""

    def __init__(self, clients: Sequence[httpx2.AsyncClient], tally: Tally) -> None:
        self._clients = clients
        self._turns = count()
        self.tally = tally

    def next(self) -> httpx2.AsyncClient:
        """Return the process whose turn it is."""
        return self._clients[next(self._turns) % len(self._clients)]

    def sign(self, access_token: str) -> None:
        """Show this token from now on."""
        for client in self._clients:
            client.headers["Authorization"] = f"Bearer {access_token}"

    async def send(
        self, operation: str, method: str, path: str, *, expected: Sequence[int] = (), once: bool = False, **fields: Any
    ) -> httpx2.Response | None:
        """Send a request until it is answered; ``once``: ``None`` where its connection broke.

        Raises:
            GivenUpError: All that time it was refused.
        """
        deadline = monotonic() + PATIENCE_SECONDS
        headers = fields.pop("headers", {}) | ({"Idempotency-Key": uuid4().hex} if method == "POST" and not once else {})
        while monotonic() < deadline:
            began = monotonic()
            try:
                response = await self.next().request(method, path, headers={**headers, "X-Request-ID": uuid4().hex}, **fields)
            except httpx2.TimeoutException:
                self.tally.failures.append(f"{operation}: no answer in {monotonic() - began:.0f} s")
                continue
            except httpx2.TransportError as error:
                self.tally.cut(operation, began)
                if once:
                    return None
                if was_begun(error):
                    deadline = monotonic() + PATIENCE_SECONDS
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if not await self.refused(operation, response, began, expected):
                return response
        raise GivenUpError(operation)

    async def refused(self, operation: str, response: httpx2.Response, began: float, expected: Sequence[int] = ()) -> bool:
        """Count an answer; return, after a pause, whether to ask again."""
        code = self.tally.answered(operation, response, began, frozenset((*expected, *((409,) if _busy(response) else ()))))
        if response.status_code == 503 or code in AGAIN:
            await asyncio.sleep(PAUSE_SECONDS if code in AGAIN else min(float(response.headers.get("retry-after", 1)), 1.0))
            return True
        return False


def was_begun(error: httpx2.TransportError) -> bool:
    """Tell whether a request may have reached the process that died: it was not refused by one that was dead."""
    return not isinstance(error, httpx2.ConnectError)


def _busy(response: httpx2.Response) -> bool:
    return response.status_code == 409 and response.json().get("code") in AGAIN


@asynccontextmanager
async def doors(urls: Sequence[str], tally: Tally) -> AsyncIterator[Doors]:
    """Yield somebody's way to the processes at these addresses."""
    clients = [httpx2.AsyncClient(base_url=url, timeout=60, verify=NO_TLS) for url in urls]
    try:
        yield Doors(clients, tally)
    finally:
        for client in clients:
            await client.aclose()
