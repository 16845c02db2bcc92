"""DrawingML, in which PowerPoint writes shapes, tables, charts and diagrams."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from backend.adapters.document_parsers.rows import joined, lines_of
from backend.adapters.document_parsers.xml_tree import Element, attribute, child, every, name

_SIDE_BY_SIDE = 360_000
"""A centimetre, in English Metric Units: shapes whose tops differ by less stand side by side."""

_SHAPES = frozenset(("sp", "graphicFrame", "pic", "cxnSp", "contentPart"))
_LEFT_OUT = frozenset(("Fallback", "tbl", "tblPr", "rPr", "pPr", "endParaRPr", "nvSpPr", "nvGraphicFramePr"))
_PLACES = (("spPr", "xfrm", "off"), ("xfrm", "off"), ("grpSpPr", "xfrm", "off"))


def shapes(tree: Element) -> Iterator[Element]:
    """Yield the shapes of a tree or a group in reading order, groups entered where they stand.

    A placeholder has no place of its own where it takes the one of its layout; it keeps its turn before those that have.
    """
    for shape in _in_reading_order(list(_members(tree))):
        if name(shape) == "grpSp":
            yield from shapes(shape)
        else:
            yield shape


def _members(tree: Element) -> Iterator[Element]:
    for element in tree:
        if name(element) == "grpSp" or name(element) in _SHAPES:
            yield element
        elif name(element) == "AlternateContent":
            yield from _members(child(element, "Choice"))


def _in_reading_order(found: list[Element]) -> Iterator[Element]:
    placed = sorted(((_place(shape), number) for number, shape in enumerate(found)), key=lambda item: (item[0][0], item[1]))
    row: list[tuple[tuple[int, int], int]] = []
    for item in placed:
        if row and item[0][0] - row[0][0][0] >= _SIDE_BY_SIDE:
            yield from _from_left_to_right(found, row)
            row = []
        row.append(item)
    yield from _from_left_to_right(found, row)


def _from_left_to_right(found: list[Element], row: list[tuple[tuple[int, int], int]]) -> Iterator[Element]:
    for _, number in sorted(row, key=lambda item: (item[0][1], item[1])):
        yield found[number]


def _place(shape: Element) -> tuple[int, int]:
    """Return the distances from the top and from the left."""
    for path in _PLACES:
        offset = child(shape, *path)
        if offset != ():
            return int(attribute(offset, "y")), int(attribute(offset, "x"))
    return -_SIDE_BY_SIDE, 0


def placeholder(shape: Element) -> str:
    """Return the kind of placeholder that a shape is: ``title``, ``body`` ..., or nothing."""
    for properties in shape:
        found = child(properties, "nvPr", "ph") if name(properties).startswith("nv") else ()
        if found != ():
            return attribute(found, "type") or "obj"
    return ""


def relation(element: Element) -> str:
    """Return the id of a reference, ``r:id``, which some elements have beside an ``id`` of their own."""
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


def text(element: Element) -> str:
    """Return the text of an element, a line for each paragraph; that of tables is left out."""
    pieces: list[str] = []
    waiting = list(reversed(element))
    while waiting:
        inner = waiting.pop()
        kind = name(inner)
        if kind == "t":
            pieces.append(inner.text or "")
        elif kind == "br":
            pieces.append("\n")
        elif kind and kind not in _LEFT_OUT:
            if kind == "p":
                pieces.append("\n")
            waiting.extend(reversed(inner))
    return "".join(pieces).replace("\v", "\n").strip("\n")


def comment(element: Element) -> str:
    """Return the text of a comment, of the old kind and of the one with answers."""
    return text(element) or " ".join(inner.text or "" for inner in every(element, "text"))


def rows(shape: Element) -> Iterator[str]:
    """Yield the rows of the tables in a shape."""
    for row in every(shape, "tr"):
        cells = (cell for cell in row if name(cell) == "tc" and not (attribute(cell, "hMerge") or attribute(cell, "vMerge")))
        texts = [" ".join(text(cell).split()) for cell in cells]
        if any(texts):
            yield joined(texts)


def chart_lines(chart: Element) -> Iterator[str]:
    """Yield the title of a chart, and its data as the rows of a table."""
    title = child(chart, "chart", "title")
    if title != ():
        yield " ".join(text(title).split())
    series = list(every(chart, "ser"))
    categories = next(filter(None, (_values(child(item, "cat")) or _values(child(item, "xVal")) for item in series)), [])
    names = [" ".join(_values(child(item, "tx"))) for item in series]
    values = [_values(child(item, "val")) or _values(child(item, "yVal")) for item in series]
    yield from lines_of([["Category", *names], *_columns([categories, *values])])


def _columns(columns: Iterable[list[str]]) -> Iterator[list[str]]:
    return map(list, zip_longest(*columns, fillvalue=""))


def _values(element: Element) -> list[str]:
    return [(value.text or "").removesuffix(".0") for value in every(element, "v")]


def diagram_lines(data: Element) -> Iterator[str]:
    """Yield the texts of a diagram (SmartArt), in the order in which they were written."""
    for point in every(data, "pt"):
        said = " ".join(text(point).split())
        if said:
            yield said
