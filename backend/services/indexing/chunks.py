"""The chunks of a document's version, under ids that come out the same each time."""

import hashlib
from dataclasses import replace
from uuid import uuid5

from backend.core.values.document import Chunk, Document
from backend.ports.document_parser import ParsedDocument
from backend.rag.splitting import split


def chunks_of(document: Document, parsed: ParsedDocument, max_characters: int) -> list[Chunk]:
    """Split a document. Ids follow from what the chunks are, so that a second attempt finds what the first one stored."""
    return [
        replace(chunk, id=uuid5(document.id, f"{document.version}:{chunk.ordinal}:{chunk.start}:{chunk.end}:{_digest(chunk.text)}"))
        for chunk in split(parsed, max_characters=max_characters)
    ]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
