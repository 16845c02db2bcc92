"""Running answers carried by Redis, each in a stream whose ids are the numbers of the events."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from redis.asyncio import Redis

from backend.adapters.wire.redis_pool import PREFIX, redis_pool, translated
from backend.core.errors import RelayUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.relay import Relayed

MOST_PIECES = 8192
"""Of one turn, about: older ones are dropped, and who comes that late waits for the stored answer."""
KEPT_SECONDS = 300
"""How long a turn is kept that says nothing more."""


class RedisRelay:
    """Relays through one Redis server, at ``redis://``, ``rediss://`` or ``unix://``. It never retries: whoever calls decides."""

    def __init__(self, url: str) -> None:
        self._pool = redis_pool(url)
        self._redis = Redis(connection_pool=self._pool)

    async def publish(self, turn_id: UUID, pieces: Sequence[Relayed]) -> None:
        """See ``Relay.publish``."""
        assert_no_transaction("relaying an answer")
        key = _key(turn_id)
        with translated(RelayUnavailableError):
            async with self._redis.pipeline(transaction=False) as commands:
                for piece in pieces:
                    fields = {"after": piece.after, "data": piece.data}
                    commands.xadd(key, fields, id=f"{piece.number}-0", maxlen=MOST_PIECES, approximate=True)  # type: ignore[arg-type] # invariant
                commands.expire(key, KEPT_SECONDS)
                await commands.execute()

    async def read(self, turn_id: UUID, *, after: int) -> list[Relayed]:
        """See ``Relay.read``."""
        assert_no_transaction("reading a relayed answer")
        with translated(RelayUnavailableError):
            found = await self._redis.xrange(_key(turn_id), min=f"({after}-0")
        entries = cast(list[tuple[bytes, dict[bytes, bytes]]], found)
        return [
            Relayed(int(fields[b"after"]), int(entry_id.partition(b"-")[0]), fields[b"data"].decode())
            for entry_id, fields in entries
        ]

    async def aclose(self) -> None:
        """See ``Relay.aclose``."""
        await self._pool.aclose()


def _key(turn_id: UUID) -> str:
    return f"{PREFIX}:turns:{turn_id}"
