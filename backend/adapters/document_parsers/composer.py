"""Text that is put together line by line."""

from backend.adapters.document_parsers.canonical import canonical
from backend.ports.document_parser import Heading, PageSpan, ParsedDocument

LONGEST_HEADING = 300
"""Characters. A longer "heading" is a paragraph in disguise: it stays in the text and is no position."""

_GAP = "\n\n"


class Composer:
    """Collects the lines of a document and knows where its headings and pages begin."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._pages: list[PageSpan] = []
        self._page_start: int | None = None
        self._page_open = False

    def page(self) -> None:
        """Begin a page; they are numbered from 1, and one that gets no text is an empty span."""
        self._end_page()
        self._page_open = True

    def add(self, text: str, *, gap: str = "\n", level: int | None = None) -> None:
        """Append a line or a block, separated by ``gap`` from what is there; blank text is left out.

        With a ``level``, the text is a heading and comes as one line. The first block of a page stands apart.
        """
        text = canonical(text) if level is None else " ".join(canonical(text).split())
        if not text.strip():
            return
        self._separate(gap)
        if level is not None and len(text) <= LONGEST_HEADING:
            self._headings.append(Heading(self._length, level, text))
        self._append(text)

    def append(self, document: ParsedDocument) -> None:
        """Append a whole document with its headings, without its pages."""
        if not document.text.strip():
            return
        self._separate(_GAP)
        self._headings.extend(Heading(self._length + heading.start, heading.level, heading.text) for heading in document.headings)
        self._append(document.text)

    def document(self) -> ParsedDocument:
        """Return what was collected."""
        self._end_page()
        return ParsedDocument("".join(self._parts), tuple(self._pages), tuple(self._headings))

    def _separate(self, gap: str) -> None:
        begins_page = self._page_open and self._page_start is None
        if self._parts:
            self._append(_GAP if begins_page else gap)
        if begins_page:
            self._page_start = self._length

    def _end_page(self) -> None:
        if self._page_open:
            start = self._length if self._page_start is None else self._page_start
            self._pages.append(PageSpan(len(self._pages) + 1, start, self._length))
        self._page_open, self._page_start = False, None

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
