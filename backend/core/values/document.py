"""Documents and their parts, as the floors hand them to each other."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

DocumentStatus = Literal["pending", "processing", "ready", "failed"]

UNFINISHED: frozenset[DocumentStatus] = frozenset({"pending", "processing"})
"""What a document is while the indexing of its newest version has not ended."""
DocumentStage = Literal["reading", "embedding"]
"""What is done with a document that is being processed."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in. ``pieces`` can be read once."""

    filename: str
    title: str | None
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Document:
    """An uploaded file and the state of its indexing.

    ``version`` is the newest file under this id, which everything here is about; ``live_version`` is the one that is searched.
    ``tokens_embedded`` of ``tokens_extracted`` words and signs of its text lie in passages that have a vector. ``language`` is the
    ISO 639 code of what most of the text is in, where that shows. ``notes`` say what could not be read of it. ``file_lost`` says
    that the original bytes are gone, though not what was read from them.
    """

    id: UUID
    owner_id: UUID
    title: str
    filename: str
    media_type: str
    size: int
    sha256: str
    blob_key: str
    file_lost: bool
    version: int
    live_version: int | None
    status: DocumentStatus
    progress_done: int
    progress_total: int
    stage: DocumentStage | None
    waiting_for: str | None
    error_code: str | None
    error_message: str | None
    language: str | None
    notes: Sequence[str]
    pages: int | None
    chunks: int
    tokens_extracted: int | None
    tokens_embedded: int | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    queued_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a document's canonical text, ``text``, with what stands around it; ``length`` is of the whole."""

    before: str
    text: str
    after: str
    start: int
    end: int
    length: int
    version: int


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
