"""The rows of a sheet, which people fill with titles, forms and several tables, as lines that can be understood alone."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice

from backend.adapters.document_parsers.rows import is_header, joined, labelled, one_line

_PEEKED_ROWS = 20
_YEAR = re.compile(r"(?:19|20)\d\d")
_VALUE = re.compile(r"[\d\W]+|TRUE|FALSE")


def lines_of_sheet(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a line for every row that is not blank, as ``rows.lines_of`` does for a table, and for the same reason.

    A sheet is more than a table: titles stand above the header (rows of one cell), columns stay blank, years head columns, a form
    has names beside values (``Name:``), and a second table may follow after a blank row. That one is seen by words where the
    columns above hold numbers; rows that only skip a line keep their header, for a wrong label is worse than none. Blank cells are
    left out of every line: to a reader of one line their number says nothing.
    """
    table = _Table()
    for filled, block in groupby(([one_line(cell) for cell in row] for row in rows), key=any):
        if filled:
            yield from table.lines(block)


class _Table:
    """The header that holds at present, and the columns in which values stood under it."""

    def __init__(self) -> None:
        self._header: list[str] | None = None
        self._columns_of_values: set[int] = set()

    def lines(self, block: Iterator[list[str]]) -> Iterator[str]:
        """Yield the lines of rows that no blank row divides."""
        peeked = list(islice(block, _PEEKED_ROWS))
        while peeked and len(_filled(peeked[0])) == 1:
            yield joined(list(filter(None, peeked.pop(0))))
        if peeked and self._begins(peeked[0], peeked[1:]):
            self._header = peeked.pop(0)
            self._columns_of_values.clear()
            yield joined(list(filter(None, self._header)))
        elif peeked and self._header is None:
            self._header = []
        for row in chain(peeked, block):
            for column, cell in enumerate(row):
                if cell and column not in self._columns_of_values and _VALUE.fullmatch(cell):
                    self._columns_of_values.add(column)
            yield labelled(self._header or [], row)

    def _begins(self, row: list[str], below: list[list[str]]) -> bool:
        """Tell whether a row is the header of what is below it: one column may have no name, as that of row numbers has none."""
        columns = _filled(row)
        words = (column for column in columns if not _VALUE.fullmatch(row[column]))
        if not below or (self._header is not None and self._columns_of_values.isdisjoint(words)):
            return False
        names = [row[column] for column in columns]
        names[1:] = [f"in {name}" if _YEAR.fullmatch(name) else name for name in names[1:]]
        widest = max((len(_filled(other)) for other in below), default=0)
        return is_header(names) and len(names) >= widest - 1 and not any(name.endswith(":") for name in names)


def _filled(row: Sequence[str]) -> list[int]:
    return [column for column, cell in enumerate(row) if cell]
