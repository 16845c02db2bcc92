"""How routes take an ``Idempotency-Key``."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

import orjson
from fastapi import Depends, Header
from pydantic import BaseModel

from backend.api.deps import AllServices
from backend.core.values.document import Upload
from backend.core.values.idempotency import StoredOutcome, upload_fingerprint
from backend.core.values.user import Caller as CallerValue
from backend.services.idempotency import UNKNOWN, IdempotencyService

T = TypeVar("T")

REPLAYED = {"Idempotent-Replayed": "true"}
"""The header that marks a replay."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7E]+$",
        description="Makes it safe to send the request again: within 24 hours the same key gets what the first request made.",
    ),
]


@dataclass(frozen=True, slots=True)
class RunsOnce:
    """Runs a request at most once for its key; without a key it just runs it."""

    service: IdempotencyService
    key: str | None

    async def run(
        self,
        caller: CallerValue,
        operation: str,
        do: Callable[[str | None], Awaitable[T]],
        replay: Callable[[StoredOutcome], Awaitable[T]],
        *,
        fingerprint: bytes = UNKNOWN,
    ) -> T:
        """Do it, or replay what an earlier request with this key has made.

        ``do`` gets the key, and whatever it calls ends the key together with what it makes. If ``do`` raises before that, the key
        is free again. Without a fingerprint ``replay`` has to compare.

        Raises:
            IdempotencyKeyReusedError: The key was used for something else.
            IdempotencyKeyBusyError: The earlier request is still running.
        """
        if self.key is None:
            return await do(None)
        # A credential of a limited reach never replays what another one of the same person was shown.
        reach = "" if caller.reach.key_id is None else f" {caller.reach.key_id}"
        earlier = await self.service.begin(caller.user_id, self.key, operation + reach, fingerprint)
        if earlier is not None:
            return await replay(earlier)
        try:
            return await do(self.key)
        except BaseException:
            await self.service.forget(caller.user_id, self.key)
            raise

    def part(self, number: int) -> "RunsOnce":
        """Return the same for one of several things that the request does. No header can hold the key of a part."""
        return self if self.key is None else replace(self, key=f"{self.key}\n{number}")

    def kept_alive(self, caller: CallerValue, upload: Upload) -> Upload:
        """Return the same upload; while it arrives, its key does not lapse."""
        if self.key is None:
            return upload
        return replace(upload, pieces=self.service.kept_alive(caller.user_id, self.key, upload.pieces))


async def _runs_once(services: AllServices, key: IdempotencyKey = None) -> RunsOnce:
    return RunsOnce(services.idempotency, key)


Once = Annotated[RunsOnce, Depends(_runs_once)]


def fingerprint_of(body: BaseModel) -> bytes:
    """Return the sha256 of a body in canonical form: the order of members, spaces and defaults do not matter."""
    return hashlib.sha256(orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).digest()


async def assert_same_file(earlier: StoredOutcome, upload: Upload) -> None:
    """Read an upload to its end, without keeping it, and return if it is the one that was accepted earlier.

    Raises:
        IdempotencyKeyReusedError: Its bytes, its name or its title are other ones.
    """
    earlier.assert_of(upload_fingerprint(upload.filename, upload.title, await _sha256(upload.pieces)))


async def _sha256(pieces: AsyncIterator[bytes]) -> str:
    digest = hashlib.sha256()
    async for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
