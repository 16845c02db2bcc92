"""Where the limits are counted."""

from backend.adapters.limiters.fallback import FallbackLimiter
from backend.adapters.limiters.memory import MemoryLimiter
from backend.core.config import Settings
from backend.ports.limiter import Limiter


def open_limiter(settings: Settings) -> Limiter:
    """Return the shared count where REDIS_URL is set, which falls back to this process's own; else that alone."""
    if settings.redis_url is None:
        return MemoryLimiter()
    # Its client takes most of a second to import, and hardly anybody who tries the product has a Redis.
    from backend.adapters.limiters.redis import RedisLimiter  # noqa: PLC0415

    return FallbackLimiter(RedisLimiter(settings.redis_url.get_secret_value()), MemoryLimiter())
