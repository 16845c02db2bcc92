"""Text that is put together line by line."""

from backend.adapters.document_parsers.canonical import canonical
from backend.ports.document_parser import Heading, ParsedDocument

LONGEST_HEADING = 300
"""Characters. A longer "heading" is a paragraph in disguise: it stays in the text and is no position."""


class Composer:
    """Collects the lines of a document and knows where its headings begin."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []

    def add(self, text: str, *, gap: str = "\n", level: int | None = None) -> None:
        """Append a line or a block, separated by ``gap`` from what is there; blank text is left out.

        With a ``level``, the text is a heading and comes as one line.
        """
        text = canonical(text) if level is None else " ".join(canonical(text).split())
        if not text.strip():
            return
        if self._parts:
            self._append(gap)
        if level is not None and len(text) <= LONGEST_HEADING:
            self._headings.append(Heading(self._length, level, text))
        self._append(text)

    def document(self) -> ParsedDocument:
        """Return what was collected."""
        return ParsedDocument("".join(self._parts), headings=tuple(self._headings))

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
