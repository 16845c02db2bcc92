"""The chunks of a document's version, under ids that come out the same each time, and what is searched of them."""

import hashlib
from dataclasses import replace
from uuid import uuid5

from backend.core.values.document import Chunk, Document
from backend.ports.document_parser import ParsedDocument
from backend.rag.normalising import search_text
from backend.rag.splitting import split


def chunks_of(document: Document, parsed: ParsedDocument, max_characters: int) -> list[Chunk]:
    """Split a document. Ids follow from what the chunks are, so that a second attempt finds what the first one stored."""
    return [
        replace(chunk, id=uuid5(document.id, f"{document.version}:{chunk.ordinal}:{chunk.start}:{chunk.end}:{_digest(chunk.text)}"))
        for chunk in split(parsed, max_characters=max_characters)
    ]


def embedded_text(heading: str | None, text: str) -> str:
    """Return what is embedded of a chunk: with what it stands under, for a paragraph alone often does not name its subject."""
    return f"{heading}\n{text}" if heading else text


def searched_text(heading: str | None, text: str) -> str:
    """Return what the lexical leg searches of a chunk: its words, and those that it stands under."""
    return search_text(f"{heading or ''} {text}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
