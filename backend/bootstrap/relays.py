"""How running answers get from one process to the others."""

from backend.core.config import Settings
from backend.ports.relay import Relay


def open_relay(settings: Settings) -> Relay | None:
    """Return the relay where REDIS_URL is set. Without one, who reads in another process gets the answer once it is stored."""
    if settings.redis_url is None:
        return None
    # Its client takes most of a second to import, and hardly anybody who tries the product has a Redis.
    from backend.adapters.relays.redis import RedisRelay  # noqa: PLC0415

    return RedisRelay(settings.redis_url.get_secret_value())
