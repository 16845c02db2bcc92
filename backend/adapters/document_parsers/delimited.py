"""Tables as text: comma, semicolon, tab or bar between the cells (.csv, .tsv)."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.rows import lines_of
from backend.ports.document_parser import ParsedDocument

_DELIMITERS = (",", ";", "\t", "|")
_ANNOUNCED = re.compile(r"sep=(.)\n", re.IGNORECASE)
_SAMPLE_ROWS = 200
_LEAST_SHARE = 0.5
_LONGEST_CELL = 1 << 30
_END = "\ue000end of the table\ue000"
"""A row of our own after the last one: where it is not found again, a quote was opened and never closed."""


def parse(data: bytes) -> ParsedDocument:
    """Read a table, a line for each row; the delimiter is the one that gives most rows the same number of cells.

    Where a quote is never closed, quotes are ordinary characters, for otherwise the rest of the file would be one cell.
    """
    csv.field_size_limit(_LONGEST_CELL)
    text = canonical(decode(data))
    announced = _ANNOUNCED.match(text)  # A line for Excel.
    text = text[announced.end() :] if announced else text
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    delimiter = announced[1] if announced else _delimiter(text)
    if delimiter and '"' in text and not _closed(text, delimiter):
        quoting = csv.QUOTE_NONE
    composer = Composer()
    for line in lines_of(_rows(text, delimiter, quoting)) if delimiter else text.split("\n"):
        composer.add(line)
    return composer.document()


def _delimiter(text: str) -> str:
    """Return the delimiter, or nothing where most rows have one cell."""
    scores = {delimiter: _score(text, delimiter) for delimiter in _DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > (0.0, 0) else ""


def _score(text: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows with the most frequent number of cells, and that number; zero where most rows have one cell."""
    widths = Counter(len(row) for row in islice(_rows(text, delimiter, csv.QUOTE_MINIMAL), _SAMPLE_ROWS) if any(row))
    if widths[1] >= _LEAST_SHARE * widths.total():
        return 0.0, 0
    width, times = max(widths.items(), key=lambda item: (item[0] > 1, item[1]))
    return round(times / widths.total(), 1), width


def _closed(text: str, delimiter: str) -> bool:
    row: list[str] = []
    for row in _rows(f"{text}\n{_END}", delimiter, csv.QUOTE_MINIMAL):  # noqa: B007 - the last row is wanted
        pass
    return row == [_END]


def _rows(text: str, delimiter: str, quoting: Literal[0, 3]) -> Iterator[list[str]]:
    lines = (line + "\n" for line in text.split("\n"))
    return csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=delimiter != "\t")
