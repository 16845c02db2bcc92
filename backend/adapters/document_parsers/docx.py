"""Word documents (.docx): python-docx opens the package, and its XML is read in document order."""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

from docx import Document
from docx.opc.exceptions import OpcError

from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.package import DAMAGED, package, part
from backend.adapters.document_parsers.rows import joined
from backend.adapters.document_parsers.xml_tree import Element, attribute, child, name
from backend.ports.document_parser import ParsedDocument

_PHRASE = "a Word document"
_BODY = "word/document.xml"
_STYLES = "word/styles.xml"
_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_COMMENTS = "word/comments.xml"
_MARGIN = re.compile(r"word/(?:header|footer)\d*\.xml")
_WRAPPERS = frozenset(("body", "sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "footnote", "endnote"))
_LEFT_OUT = frozenset(("pPr", "rPr", "tblPr", "trPr", "tcPr", "del", "moveFrom", "Fallback", "rt", "sdtPr"))
_MARKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HEADING_NAME = re.compile(r"heading ?([1-9])$", re.IGNORECASE)


def parse(data: bytes) -> ParsedDocument:
    """Read paragraphs, tables (``cell | cell`` in a line for each row) and text boxes, in order.

    At the end come foot- and endnotes, comments (``Comment (author): ...``), and what the pages have at top and bottom, each once.
    Deleted text of tracked changes is left out. Headings are found by style and outline level.

    Raises:
        ParsingError: ``document_too_complex`` before anything large is unpacked, ``document_encrypted`` or
            ``document_unreadable``.
    """
    with package(data, _PHRASE, "word/") as archive:
        body, styles = _open(data, archive)
        levels = _levels(styles)
        composer = Composer()
        names = archive.namelist()
        for content in (body, *(part(archive, notes) for notes in _NOTES if notes in names)):
            for block in _inside(content, ("p", "tbl")):
                _add(composer, block, levels)
        for comment in part(archive, _COMMENTS) if _COMMENTS in names else ():
            _add_comment(composer, comment)
        for text in dict.fromkeys(_text(part(archive, margin)) for margin in names if _MARGIN.fullmatch(margin)):
            if any(character.isalpha() for character in text):  # Not the number of a page.
                composer.add(text, gap="\n\n")
        return composer.document()


def _open(data: bytes, archive: ZipFile) -> tuple[Element, Element]:
    """Return the elements of the body and of the styles, without python-docx where it refuses, for instance a dangling link."""
    try:
        document = Document(BytesIO(data))
        body, styles = document.element.body, document.styles.element
        return [] if body is None else body, styles
    except (*DAMAGED, OpcError):
        return next(iter(part(archive, _BODY))), part(archive, _STYLES) if _STYLES in archive.namelist() else ()


def _add(composer: Composer, block: Element, levels: dict[str, int]) -> None:
    if name(block) == "p":
        composer.add(_text(block), gap="\n\n", level=_level(block, levels))
        return
    gap = "\n\n"
    for row in _inside(block, ("tr",)):
        cells = [" ".join(_text(cell).split()) for cell in _inside(row, ("tc",))]
        composer.add(joined(cells) if any(cells) else "", gap=gap)
        gap = "\n"


def _add_comment(composer: Composer, comment: Element) -> None:
    said = _text(comment)
    if said.strip():
        composer.add(f"Comment ({attribute(comment, 'author') or 'unknown'}): {said}", gap="\n\n")


def _inside(container: Element, wanted: tuple[str, ...]) -> Iterator[Element]:
    """Yield the wanted children, also those inside of content controls and tracked insertions."""
    for inner in container:
        kind = name(inner)
        if kind in wanted:
            yield inner
        elif kind in _WRAPPERS:
            yield from _inside(inner, wanted)


def _text(element: Element) -> str:
    """Return all text under an element, in order; paragraphs inside of it (cells, text boxes) begin a new line."""
    pieces: list[str] = []
    waiting = list(reversed(element))
    while waiting:
        inner = waiting.pop()
        kind = name(inner)
        if kind == "t":
            pieces.append(inner.text or "")
        elif kind in _MARKS:
            pieces.append(_MARKS[kind])
        elif kind not in _LEFT_OUT:
            if kind == "p":
                pieces.append("\n")
            waiting.extend(reversed(inner))
    return "".join(pieces).strip("\n")


def _level(paragraph: Element, levels: dict[str, int]) -> int | None:
    properties = child(paragraph, "pPr")
    outline = _value(properties, "outlineLvl")
    if outline.isdecimal():
        return int(outline) + 1 if int(outline) < 9 else None
    style = _value(properties, "pStyle")
    by_id = _HEADING_NAME.match(style)
    return levels.get(style) or (int(by_id[1]) if by_id else None)


def _levels(styles: Element) -> dict[str, int]:
    """Map the ids of styles to levels: by their built-in names, which are English everywhere, by outline level, or inherited."""
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in styles:
        style_id, level = attribute(style, "styleId"), _own_level(style)
        if level is None:
            parents[style_id] = _value(style, "basedOn")
        else:
            levels[style_id] = level
    for style_id, parent in parents.items():
        ancestor = parent
        for _ in range(10):  # Word allows eleven generations; a circle must end.
            ancestor = parents.get(ancestor, ancestor)
        if ancestor in levels:
            levels[style_id] = levels[ancestor]
    return levels


def _own_level(style: Element) -> int | None:
    title = _value(style, "name")
    if match := _HEADING_NAME.match(title):
        return int(match[1])
    outline = _value(child(style, "pPr"), "outlineLvl")
    if outline.isdecimal() and int(outline) < 9:
        return int(outline) + 1
    return 1 if title.lower() == "title" else None


def _value(element: Element, wanted: str) -> str:
    found = child(element, wanted)
    return "" if found == () else attribute(found, "val")
