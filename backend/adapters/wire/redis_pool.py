"""Connections to a Redis server, and what goes wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from backend.core.errors import UnavailableError

PREFIX = "docent"
ANSWER_SECONDS = 1.0
"""How long connecting or an answer may take: nothing waits for Redis for long, and whoever asks can do without it."""
TURN_SECONDS = 5.0
"""How long a call may wait for its turn on a connection. A burst is no outage."""
CONNECTIONS = 16


def redis_pool(url: str) -> BlockingConnectionPool:
    """Return a pool of connections to ``redis://``, ``rediss://`` or ``unix://`` that never retries: whoever calls decides."""
    return BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=TURN_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        client_name=PREFIX,
        # The commands here need nothing newer, and a connection is ready after fewer round trips.
        protocol=2,
    )


@contextmanager
def translated(kind: type[UnavailableError]) -> Iterator[None]:
    """Raise an outage of Redis as an error of ours."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise kind from error
