"""The owner of the servers that live in a data folder."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.adapters.servers.chroma_store import ChromaStore
from backend.adapters.servers.embedded_chroma import embedded_chroma
from backend.adapters.servers.instance import Instance, remove_instance, take_lock, write_instance
from backend.adapters.servers.postgres_upgrade import upgraded_postgres
from backend.adapters.servers.private_files import prepare_data_folder
from backend.core.errors import ConfigurationError
from backend.core.transactions import assert_no_transaction


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers of a data folder answer. The database URLs hold credentials.

    ``owner_url`` is of the role that migrates and ``app_url`` of the role that serves; both are ``None`` without PostgreSQL.
    ``chroma_url`` is ``None`` without Chroma, which may still be starting. ``attached`` says that the servers belong to
    another process of this data folder, and end with it. ``chroma_store`` is there where this process runs Chroma: it tells whether
    the index lost its content, at the start or at a restart since then.
    """

    owner_url: str | None
    app_url: str | None
    chroma_url: str | None
    attached: bool
    chroma_store: ChromaStore | None = None


@asynccontextmanager
async def open_servers(
    data_dir: Path, *, postgres: bool, chroma: bool, attach: bool = False, connections: int = 100
) -> AsyncIterator[Servers]:
    """Run the servers that are asked for within the block, or with ``attach`` use those of the process that runs them.

    PostgreSQL takes so many ``connections``.

    A data folder has one owner at a time, whichever servers it asks for. PostgreSQL takes connections when the block begins.
    A server that dies is started again on its port. When the block is left, or this process dies in whatever way, the
    servers are stopped, and only then is the folder free.

    Raises:
        InstanceRunningError: Another process has had the data folder for 5 seconds; with ``attach``, one that has not told
            where its servers are.
        ConfigurationError: The folder or the installed programs cannot be used, or the instance to attach to runs without a
            server that is asked for.
        DatabaseUnavailableError: PostgreSQL did not start; the message names its log.
    """
    assert_no_transaction("starting the servers")
    folder = prepare_data_folder(data_dir)
    found = await take_lock(folder, attach=attach)
    if isinstance(found, Instance):
        yield _attached(folder, found, postgres=postgres, chroma=chroma)
        return
    async with AsyncExitStack() as stack:
        stack.callback(os.close, found)
        remove_instance(folder)  # Of a process that was killed: its id may belong to another one by now.
        index = await stack.enter_async_context(embedded_chroma(folder, found)) if chroma else None
        urls = await stack.enter_async_context(upgraded_postgres(folder, found, connections=connections)) if postgres else None
        servers = Servers(
            owner_url=urls.owner if urls else None,
            app_url=urls.app if urls else None,
            chroma_url=index.url if index else None,
            attached=False,
            chroma_store=index.store if index else None,
        )
        stack.callback(remove_instance, folder)
        write_instance(folder, Instance(os.getpid(), servers.owner_url, servers.app_url, servers.chroma_url))
        yield servers


def _attached(folder: Path, instance: Instance, *, postgres: bool, chroma: bool) -> Servers:
    if (postgres and instance.app_url is None) or (chroma and instance.chroma_url is None):
        message = f"Process {instance.pid}, which runs {folder}, was started with other settings: use the same ones, or stop it."
        raise ConfigurationError(message)
    return Servers(
        owner_url=instance.owner_url if postgres else None,
        app_url=instance.app_url if postgres else None,
        chroma_url=instance.chroma_url if chroma else None,
        attached=True,
    )
