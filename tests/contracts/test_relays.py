"""What a relay promises, against a real Redis."""

from collections.abc import AsyncIterator

import pytest

from backend.adapters.relays.redis import RedisRelay
from backend.core.errors import RelayUnavailableError
from backend.core.ids import new_id
from backend.ports.relay import Relayed
from tests.support.redis import RedisServer, running_redis

PIECES = [Relayed(1, 2, "[]"), Relayed(2, 6, "née\u2028"), Relayed(6, 8, "🐋!"), Relayed(8, 9, "")]


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with running_redis() as server:
        yield server


async def test_what_is_published_in_one_process_is_read_in_the_other_from_any_number_on(redis: RedisServer) -> None:
    one, other = RedisRelay(redis.url), RedisRelay(redis.url)
    turn = new_id()
    assert await other.read(turn, after=0) == []

    await one.publish(turn, PIECES[:2])
    await one.publish(turn, PIECES[2:])

    for after, first in ((0, 0), (1, 0), (2, 1), (4, 1), (6, 2), (8, 3), (9, 4), (2**53, 4)):
        assert await other.read(turn, after=after) == PIECES[first:]
    assert await other.read(new_id(), after=0) == []
    with pytest.raises(RelayUnavailableError):
        await one.publish(turn, PIECES[:1])
    await one.aclose()
    await other.aclose()


async def test_without_its_server_it_says_so_and_with_it_goes_on(redis: RedisServer) -> None:
    relay = RedisRelay(redis.url)
    await relay.publish(new_id(), PIECES)

    await redis.kill()
    with pytest.raises(RelayUnavailableError):
        await relay.publish(new_id(), PIECES)
    with pytest.raises(RelayUnavailableError):
        await relay.read(new_id(), after=0)

    await redis.start()
    await relay.publish(new_id(), PIECES)
    await relay.aclose()
