"""Headings of texts that stay as they were written, line for line."""

import re
from collections.abc import Iterable, Iterator

from backend.adapters.document_parsers.composer import LONGEST_HEADING
from backend.ports.document_parser import Heading, ParsedDocument

LONGEST_LINE = 1000
"""Characters. A longer line is not a heading, and patterns may take quadratic time on it."""


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield every line with its offset, without its line end; a line that is too long to be a heading is yielded as empty."""
    start = 0
    for line in text.split("\n"):
        yield start, line if len(line) <= LONGEST_LINE else ""
        start += len(line) + 1


def outlined(text: str, headings: Iterable[tuple[int, int, str]]) -> ParsedDocument:
    """Return the text with headings of (start of the line, level, text); blank ones and those that are paragraphs are left out."""
    found = ((start, level, title.strip()) for start, level, title in headings)
    return ParsedDocument(text, headings=tuple(Heading(*h) for h in found if 0 < len(h[2]) <= LONGEST_HEADING))


def by_pattern(text: str, pattern: re.Pattern[str]) -> ParsedDocument:
    """Return the text with a heading for each line that matches: the first group that took part, else the line."""
    matches = ((start, match) for start, line in lines_of(text) if (match := pattern.match(line)))
    return outlined(text, ((start, 1, match[match.lastindex or 0]) for start, match in matches))
