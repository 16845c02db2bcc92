"""The connection pool."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

WAIT_SECONDS = 30
"""How long a transaction waits for a free connection.

Hundreds of questions at once take turns for more than ten seconds on a small machine, and all are served in the end. A database
that is away refuses at once.
"""


def make_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """Return an engine for an ``asyncpg`` URL. It connects lazily, and checks a connection before it hands it out."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        # Parameters hold people's texts, and exceptions end in logs.
        hide_parameters=True,
        connect_args={
            "timeout": 10,
            "command_timeout": 60,
            # Compiling short queries costs more than it gains.
            "server_settings": {"application_name": "docent", "jit": "off"},
        },
    )
