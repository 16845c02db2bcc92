"""Where PostgreSQL and Chroma answer: in the data folder, or where the settings say."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.adapters.servers.chroma_store import ChromaStore
from backend.adapters.servers.supervisor import open_servers
from backend.core.config import Settings, asyncpg_url

USUAL_CONNECTIONS = 100
ROOM_FOR_COMMANDS = 60
"""Also for what runs the servers and the worker, and for the process that a rolling restart starts before it ends another."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers answer. ``exclusive`` says that this process owns them: no other can be at work on this data.

    ``chroma_store`` is the store of the Chroma that this process runs.
    """

    owner_url: str
    app_url: str
    chroma_url: str
    exclusive: bool
    chroma_store: ChromaStore | None = None
    direct_url: str | None = None

    @property
    def pooled(self) -> bool:
        """Whether ``app_url`` names a pooler of transactions."""
        return self.direct_url is not None

    @property
    def session_url(self) -> str:
        """Where a connection is one session: for listening, the queue and backups."""
        return self.direct_url or self.app_url


@asynccontextmanager
async def open_addresses(settings: Settings, *, attach: bool = False) -> AsyncIterator[Addresses]:
    """Start or find the servers that the settings name, within the block.

    Raises:
        ConfigurationError: An address has the wrong form, or the data folder cannot be used.
        UnavailableError: The embedded PostgreSQL did not start.
    """
    # Read first: a wrong address is then refused before anything is started.
    app_url = asyncpg_url(settings.database_url.get_secret_value()) if settings.database_url else None
    direct_url = asyncpg_url(settings.database_direct_url.get_secret_value()) if settings.database_direct_url else None
    owner_url = (
        asyncpg_url(settings.database_owner_url.get_secret_value()) if settings.database_owner_url else direct_url or app_url
    )
    chroma_url = settings.chroma_url
    embedded = {"postgres": app_url is None, "chroma": chroma_url is None}
    exclusive, store = False, None
    async with AsyncExitStack() as stack:
        if any(embedded.values()):
            servers = await stack.enter_async_context(
                open_servers(settings.data_dir, **embedded, attach=attach, connections=_connections(settings))
            )
            exclusive = servers.app_url is not None and not servers.attached
            app_url, owner_url = servers.app_url or app_url, servers.owner_url or owner_url
            chroma_url, store = servers.chroma_url or chroma_url, servers.chroma_store
        yield Addresses(owner_url or "", app_url or "", chroma_url or "", exclusive, store, direct_url)


def _connections(settings: Settings) -> int:
    """Return how many connections the embedded PostgreSQL takes: pools and listeners of all processes, and room for commands."""
    return max(USUAL_CONNECTIONS, settings.api_processes * (settings.database_pool_size + 2) + ROOM_FOR_COMMANDS)


def without_credentials(url: str) -> str:
    """Return an address that may be shown: without user, password, query and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
