"""Where PostgreSQL and Chroma answer: in the data folder, or where the settings say."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.adapters.servers.supervisor import open_servers
from backend.core.config import Settings, asyncpg_url


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers answer. ``exclusive`` says that this process owns them: no other can be at work on this data."""

    owner_url: str
    app_url: str
    chroma_url: str
    exclusive: bool


@asynccontextmanager
async def open_addresses(settings: Settings, *, attach: bool = False) -> AsyncIterator[Addresses]:
    """Start or find the servers that the settings name, within the block."""
    external = settings.database_url.get_secret_value() if settings.database_url else None
    embedded = {"postgres": external is None, "chroma": settings.chroma_url is None}
    async with AsyncExitStack() as stack:
        servers = None
        if any(embedded.values()):
            servers = await stack.enter_async_context(open_servers(settings.data_dir, **embedded, attach=attach))
        app_url = (servers and servers.app_url) or asyncpg_url(external or "")
        owner = settings.database_owner_url.get_secret_value() if settings.database_owner_url else None
        owner_url = (servers and servers.owner_url) or (asyncpg_url(owner) if owner else app_url)
        chroma_url = settings.chroma_url or (servers and servers.chroma_url) or ""
        exclusive = servers is not None and servers.app_url is not None and not servers.attached
        yield Addresses(owner_url, app_url, chroma_url, exclusive)


def without_credentials(url: str) -> str:
    """Return an address that may be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
