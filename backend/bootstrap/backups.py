"""Backups of the place that the settings name, and restores into it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from backend.adapters.blob_stores.object_store import ObjectBlobStore
from backend.adapters.servers.private_files import prepare_data_folder, write_private
from backend.bootstrap.servers import Addresses, open_addresses
from backend.core.config import Settings
from backend.core.errors import ConfigurationError
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.services.backup.manifest import Summary
from backend.services.backup.restoring import Restorer, verified
from backend.services.backup.writing import BackupWriter
from backend.services.indexing.generations import queue_generation


async def back_up(settings: Settings, path: Path, *, with_vectors: bool) -> Summary:
    """Write a backup of this place into a new file, beside a running Docent or alone.

    Raises:
        ConfigurationError: There is nothing to back up, or the file cannot be written.
        UnavailableError: PostgreSQL or the store of files does not answer.
    """
    settings = _settled(settings)
    if settings.database_url is None and not (settings.data_dir / "pg").exists():
        raise ConfigurationError(f"There is nothing to back up: {settings.data_dir} holds no Docent. Set DATA_DIR.")
    async with _opened(settings, attach=True) as (at, blobs):
        key = _secret_key(settings)
        kept = key.read_text(encoding="utf-8").strip() if settings.secret_key is None and key.exists() else None
        return await BackupWriter(at.session_url, blobs, kept).write(path, with_vectors=with_vectors)


async def restore(settings: Settings, path: Path) -> Summary:
    """Restore a backup into this place, which has to be empty. In the embedded shape nobody else may run on it meanwhile.

    Raises:
        ConfigurationError: The file is no backup that can be used, the place is not empty, or is in use.
        UnavailableError: PostgreSQL or the store of files does not answer.
    """
    settings = _settled(settings)
    backup = await verified(path)  # Before anything is started or made.

    def keep(secret_key: str) -> None:
        prepare_data_folder(settings.data_dir)
        write_private(_secret_key(settings), secret_key)

    async with _opened(settings, attach=False) as (at, blobs):
        summary = await Restorer(at.owner_url, blobs, keep if settings.secret_key is None else None).restore(backup)
        if not backup.header.with_vectors:
            await _embed_anew(at.session_url)
        return summary


async def _embed_anew(url: str) -> None:
    """Queue the embedding of everything, for a backup without vectors. Until that is done, the search by words answers."""
    uow = UnitOfWork(make_engine(url, pool_size=1))
    try:
        async with uow.system() as tx:
            for generation in await tx.generations.all(state="ready"):
                await queue_generation(tx, "build_generation", generation)
    finally:
        await uow.aclose()


@asynccontextmanager
async def _opened(settings: Settings, *, attach: bool) -> AsyncIterator[tuple[Addresses, ObjectBlobStore]]:
    # The index is no part of a backup, so its server is not needed.
    without_index = settings.model_copy(update={"chroma_url": settings.chroma_url or "-"})
    async with open_addresses(without_index, attach=attach) as at:
        yield at, ObjectBlobStore.at(settings.blob_url or prepare_data_folder(settings.data_dir) / "files")


def _settled(settings: Settings) -> Settings:
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().resolve()})


def _secret_key(settings: Settings) -> Path:
    return settings.data_dir / "secret_key"
