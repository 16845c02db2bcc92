"""reStructuredText: the text stays as it was written, and its headings are found."""

import re
from collections.abc import Iterator

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.outline import lines_of, outlined
from backend.ports.document_parser import ParsedDocument

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_SHORTEST_TRANSITION = 4
"""Marks. A line under a title may be shorter than the title by mistake, but no shorter than this (as docutils reads it)."""


def parse(data: bytes) -> ParsedDocument:
    """Decode reStructuredText. A title's level is the rank at which its kind of line, under or around it, first appears."""
    text = canonical(decode(data))
    return outlined(text, _titles(text))


def _titles(text: str) -> Iterator[tuple[int, int, str]]:
    styles: list[tuple[str, bool]] = []
    before_last, last = (0, ""), (0, "")
    for line in lines_of(text):
        marks, title = line[1].rstrip(), last[1]
        if _ADORNMENT.match(marks) and _is_title(title) and len(marks) >= min(len(title.strip()), _SHORTEST_TRANSITION):
            over = before_last[1].rstrip() == marks
            if over or (not before_last[1].strip() and title[0] not in " \t"):
                style = (marks[0], over)
                if style not in styles:
                    styles.append(style)
                yield last[0], styles.index(style) + 1, title
        before_last, last = last, line


def _is_title(line: str) -> bool:
    return bool(line.strip()) and not _ADORNMENT.match(line.strip())
