"""OpenDocument texts and presentations (.odt, .odp)."""

import re
from collections.abc import Iterator
from zipfile import ZipFile

from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.package import package, part
from backend.adapters.document_parsers.rows import joined
from backend.adapters.document_parsers.xml_tree import Element, attribute, child, every, name
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument

_PHRASE = "an OpenDocument file"
_BLOCKS = frozenset(("p", "h"))
_OUT_OF_LINE = frozenset(("note-body", "annotation", "annotation-end"))
_LEFT_OUT = frozenset(("tracked-changes", "forms", "desc", "title", "event-listeners", "ruby-text", "scripts", "notes"))
_MARGINS = ("header", "footer", "header-left", "footer-left", "header-first", "footer-first")
_MARKS = {"tab": "\t", "line-break": "\n"}
_SPACE = re.compile(r"[ \t\r\n]+")
_LONGEST_RUN = 1000
"""Of spaces and of repeated cells; whoever writes more wants to fill our memory."""


def check(archive: ZipFile) -> None:
    """Refuse a file whose parts are encrypted.

    Raises:
        ParsingError: ``document_encrypted``.
    """
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        message = "The file is protected by a password. Save a copy without one, and upload that."
        raise ParsingError(message, code="document_encrypted")


def parse(data: bytes) -> ParsedDocument:
    """Read paragraphs, lists, tables (``cell | cell`` in a line for each row) and text boxes, in the order of the file.

    Slides are pages, their titles are headings, and their notes follow them as ``Notes: ...``. At the end of a text come its
    footnotes, comments, and what its pages have at top and bottom, once. Deleted text of tracked changes is left out.

    Raises:
        ParsingError: ``document_too_complex``, ``document_encrypted`` or ``document_unreadable``.
    """
    with package(data, _PHRASE, "content.xml") as archive:
        if "META-INF/manifest.xml" in archive.namelist():
            check(archive)
        body = child(part(archive, "content.xml"), "body")
        if body == ():
            raise ValueError("no body")
        styles = part(archive, "styles.xml") if "styles.xml" in archive.namelist() else ()
        reader = _Reader()
        for content in body:
            if name(content) == "presentation":
                reader.slides(content)
            else:
                reader.blocks(content)
                reader.margins(styles)
        return reader.composer.document()


class _Reader:
    """Walks through a document, and keeps for its end what stands outside of its flow."""

    def __init__(self) -> None:
        self.composer = Composer()
        self._aside: list[str] = []

    def slides(self, presentation: Element) -> None:
        """Read every slide as a page, its title first."""
        for slide in presentation:
            if name(slide) != "page":
                continue
            self.composer.page()
            frames = [frame for frame in slide if name(frame) not in _LEFT_OUT]
            for frame in sorted(frames, key=lambda frame: attribute(frame, "class") != "title"):
                if attribute(frame, "class") == "title":
                    self.composer.add(_text(frame, self._aside), level=1)
                else:
                    self.blocks(frame)
            notes = _text(child(slide, "notes"), self._aside)
            self.composer.add(f"Notes: {notes}" if notes.strip() else "", gap="\n\n")
            self._end()

    def blocks(self, container: Element) -> None:
        """Read the paragraphs, headings and tables inside of anything."""
        for block in container:
            kind = name(block)
            if kind in _BLOCKS:
                self._paragraph(block, kind)
            elif kind == "table":
                self._table(block)
            elif kind and kind not in _LEFT_OUT and kind not in _OUT_OF_LINE:
                self.blocks(block)

    def margins(self, styles: Element) -> None:
        """Add the notes and comments, and then the headers and footers of the pages, each different one once."""
        self._end()
        seen: set[str] = set()
        for margin in every(child(styles, "master-styles"), *_MARGINS):
            text = _text(margin, self._aside)
            if text not in seen:
                self.composer.add(text, gap="\n\n")
            seen.add(text)

    def _end(self) -> None:
        for text in self._aside:
            self.composer.add(text, gap="\n\n")
        self._aside.clear()

    def _paragraph(self, block: Element, kind: str) -> None:
        level = attribute(block, "outline-level") if kind == "h" else ""
        self.composer.add(
            _text(block, self._aside), gap="\n\n", level=int(level) if level.isdecimal() else 1 if kind == "h" else None
        )

    def _table(self, table: Element) -> None:
        gap = "\n\n"
        for row in _rows(table):
            cells: list[str] = []
            for cell in row:
                if name(cell) == "table-cell":
                    text = " ".join(_text(cell, self._aside).split())
                    cells += [text] * _times(attribute(cell, "number-columns-repeated"))
            self.composer.add(joined(cells).rstrip(" |"), gap=gap)
            gap = "\n"


def _rows(table: Element) -> Iterator[Element]:
    for inner in table:
        if name(inner) == "table-row":
            yield inner
        elif name(inner) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(inner)


def _text(element: Element, aside: list[str]) -> str:
    """Return all text under an element; paragraphs inside of it begin a new line, notes and comments go to ``aside``.

    White space collapses as the format demands: what is meant to be seen is written as elements.
    """
    pieces: list[str] = []
    if element != ():
        _collect(element, pieces, aside, inside=name(element) in _BLOCKS)
    return "".join(pieces).strip("\n")


def _collect(element: Element, pieces: list[str], aside: list[str], *, inside: bool) -> None:
    pieces.append(_SPACE.sub(" ", element.text or "") if inside else "")
    for inner in element:
        kind = name(inner)
        if kind in _MARKS:
            pieces.append(_MARKS[kind])
        elif kind == "s":
            pieces.append(" " * _times(attribute(inner, "c")))
        elif kind in _OUT_OF_LINE:
            _set_aside(inner, kind, aside)
        elif kind and kind not in _LEFT_OUT:
            pieces.append("\n" if kind in _BLOCKS else "")
            _collect(inner, pieces, aside, inside=inside or kind in _BLOCKS)
        pieces.append(_SPACE.sub(" ", inner.tail or "") if inside else "")


def _set_aside(element: Element, kind: str, aside: list[str]) -> None:
    place = len(aside)
    aside.append("")
    author = child(element, "creator")
    paragraphs = "\n".join(_text(paragraph, aside) for paragraph in element if name(paragraph) in ("p", "list"))
    if kind == "annotation" and paragraphs.strip():
        aside[place] = f"Comment ({author.text}): {paragraphs}" if author != () and author.text else f"Comment: {paragraphs}"
    elif kind == "note-body":
        aside[place] = paragraphs


def _times(number: str) -> int:
    return min(int(number), _LONGEST_RUN) if number.isdecimal() else 1
