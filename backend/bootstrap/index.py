"""Watching over the embedded vector index: it may lose what it had, to a crash or to somebody's hand, at any time."""

import asyncio

import structlog

from backend.adapters.servers.chroma_store import ChromaStore
from backend.core.errors import UnavailableError
from backend.ports.vector_index import VectorIndex
from backend.services.registry import Services

WARMING_TRIES = 60
WARMING_SECONDS = 0.25
GLANCE_SECONDS = 2.0
AGAIN_SECONDS = 15.0

log = structlog.get_logger(__name__)


async def watch_index(index: VectorIndex, services: Services, store: ChromaStore | None) -> None:
    """Wait for the index beside everything else, and from then on look whether its store was set aside; runs until cancelled.

    Until it answers, and where it has lost something, exact search answers. ``store`` is the one that this process runs; of a
    server that somebody else runs the clock asks, see ``backend.worker.schedule``.
    """
    for _ in range(WARMING_TRIES):
        try:
            await index.check()
            break
        except UnavailableError:
            await asyncio.sleep(WARMING_SECONDS)
    if store is None:
        return
    await services.reindexing.verify_index()
    while True:
        await _look(services, store)
        await asyncio.sleep(GLANCE_SECONDS)


async def _look(services: Services, store: ChromaStore) -> None:
    try:
        loss = store.loss()
        # Acknowledged only when PostgreSQL knows what is missing: a crash in between tells it again.
        if loss is None:
            return
        if await services.reindexing.verify_index():
            store.acknowledge(loss)
        else:
            await asyncio.sleep(AGAIN_SECONDS)
    except OSError as error:
        log.warning("index_note_unreadable", error=type(error).__name__)
