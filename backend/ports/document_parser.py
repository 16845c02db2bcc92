"""Parsers: from bytes to canonical text with positions."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PageSpan:
    """Page ``number`` (from 1) is ``text[start:end]``. Pages are in order and do not overlap."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading whose line begins at ``start``; ``level`` counts from 1, the highest."""

    start: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The canonical text of a document: Unicode without NUL and lone surrogates, lines ended by LF.

    Offsets count code points from 0, half-open. ``pages`` is empty for formats that have none.
    ``notes`` are sentences for the owner about what could not be read: nothing is left out silently.
    """

    text: str
    pages: tuple[PageSpan, ...] = ()
    headings: tuple[Heading, ...] = ()
    notes: tuple[str, ...] = ()


class DocumentParser(Protocol):
    """Reads documents in a child process with limits, for a file can hang or crash its parser."""

    def media_type(self, filename: str, head: bytes) -> str:
        """Return the media type of a file from its name and its first bytes (up to 8,192), which must agree.

        Raises:
            DocumentTypeError: No parser reads this type, or the bytes are not what the name says.
        """
        ...

    async def parse(self, pieces: AsyncIterator[bytes], media_type: str) -> ParsedDocument:
        """Read a document.

        Raises:
            ParsingError: It cannot be read; ``code`` and ``message`` tell the owner why and what to do. Codes:
                ``document_unreadable``, ``document_encrypted``, ``document_without_text``, ``parser_timeout``,
                ``parser_out_of_memory``, ``parser_crashed``, ``document_too_complex``.
        """
        ...
