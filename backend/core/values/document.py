"""Documents and their parts, as the floors hand them to each other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

DocumentStatus = Literal["pending", "processing", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in. ``pieces`` can be read once."""

    filename: str
    title: str | None
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Document:
    """An uploaded file and the state of its indexing."""

    id: UUID
    owner_id: UUID
    title: str
    filename: str
    media_type: str
    size: int
    sha256: str
    blob_key: str
    status: DocumentStatus
    progress_done: int
    progress_total: int
    waiting_for: str | None
    error_code: str | None
    error_message: str | None
    pages: int | None
    chunks: int
    attempts: int
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document's canonical text: ``text`` is ``canonical[start:end]``, code points from 0."""

    id: UUID
    ordinal: int
    page: int | None
    heading: str | None
    start: int
    end: int
    text: str
