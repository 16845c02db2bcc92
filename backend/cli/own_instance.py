"""An installation for one command: in a temporary folder, with one account, and gone afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from backend.core.config import Settings
from backend.core.errors import DocentError
from backend.core.values.document import Upload

if TYPE_CHECKING:
    from backend.services.registry import Services

PIECE_BYTES = 1 << 20


def private_settings(settings: Settings, folder: Path) -> Settings:
    """Keep the settings of models and parsers; data of a configured installation is neither used nor touched."""
    changes = {
        "data_dir": folder,
        "database_url": None,
        "database_owner_url": None,
        "database_direct_url": None,
        "chroma_url": None,
        "blob_url": None,
        "redis_url": None,
        "environment": "development",
        "registration_open": True,
        "chat_titles": "off",
    }
    return settings.model_copy(update=changes)


async def index_file(services: "Services", owner_id: UUID, file: Path) -> bool:
    """Index a file, say how that went, and return whether it can be asked about."""
    try:
        document = await services.documents.upload(owner_id, Upload(file.name, None, _pieces(file)))
    except DocentError as error:
        raise type(error)(f"{file.name}: {error.message}") from error
    await services.documents.index(owner_id, document.id)
    document = await services.documents.get(owner_id, document.id)
    ready = document.status == "ready"
    note = f"{document.chunks} passages" if ready else document.error_message or document.waiting_for
    typer.secho(f"{file.name}: {document.status}, {note}", err=True, fg=None if ready else "red")
    return ready


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece
