"""Rows of a table as lines of text, each of which can be understood alone."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

_LOOKS_LIKE_A_VALUE = re.compile(r"[\d\W]+|true|false|null|nan", re.IGNORECASE)

_LONGEST_NAME = 200
"""Characters. A longer name is none, and would be repeated with every row."""


def lines_of(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a line for every row that is not blank.

    Search cuts a table into pieces, and a row that is cut off from its header says nothing. So where the first row is a header,
    every other one reads ``Header: value | Header: value``, without the cells that are blank. A header has at least two cells,
    none of which is blank, repeated or a number. Without a header a row reads ``cell | cell``.
    """
    filled = ([one_line(cell) for cell in row] for row in rows)
    rest = (row for row in filled if any(row))
    first = next(rest, None)
    if first is None:
        return
    second = next(rest, None)
    header = first if second is not None and is_header(first) else []
    yield joined(first)
    for row in chain([] if second is None else [second], rest):
        yield labelled(header, row) if header else joined(row)


def one_line(cell: str) -> str:
    """Return a cell's text without its line ends."""
    lines = cell.splitlines()
    return " ".join(filter(None, map(str.strip, lines))) if len(lines) > 1 else cell.strip()


def is_header(row: Sequence[str]) -> bool:
    """Tell whether a row has at least two cells, none of which is blank, repeated, a number or a paragraph."""
    names = list(row)  # Blank cells at the end do not count.
    while names and not names[-1]:
        names.pop()
    plain = all(0 < len(name) <= _LONGEST_NAME and not _LOOKS_LIKE_A_VALUE.fullmatch(name) for name in names)
    return plain and len(names) > 1 and len(set(names)) == len(names)


def joined(row: Sequence[str]) -> str:
    """Return a row as ``cell | cell``."""
    return " | ".join(row)


def labelled(header: Sequence[str], row: Sequence[str]) -> str:
    """Return a row as ``Header: value | Header: value``, without the cells that are blank."""
    labels = [*header, *[""] * (len(row) - len(header))]
    return " | ".join(f"{label}: {cell}" if label else cell for label, cell in zip(labels, row, strict=False) if cell)
