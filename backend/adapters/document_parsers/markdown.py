"""Markdown: the text stays as it was written, and its headings are found."""

import re
from collections.abc import Iterator

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.composer import LONGEST_HEADING
from backend.adapters.document_parsers.decoding import decode
from backend.ports.document_parser import Heading, ParsedDocument

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?=[\w-]+[ \t]*:)(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_MARKS = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_NOT_A_PARAGRAPH = re.compile(r"\s*$| {4}|\t| {0,3}(?:[-*+>|]|\d{1,9}[.)])")
_LONGEST_LINE = 1000
"""Characters. A longer line is neither a heading nor a fence, and the patterns here take quadratic time on some of them."""


def parse(data: bytes) -> ParsedDocument:
    """Decode Markdown. A heading's ``start`` is its line's start; its text follows the ``#`` marks and is not rendered."""
    text = canonical(decode(data))
    return ParsedDocument(text, headings=tuple(h for h in _headings(text) if 0 < len(h.text) <= LONGEST_HEADING))


def _headings(text: str) -> Iterator[Heading]:
    """Find the ATX and setext headings of CommonMark outside of fenced code and front matter.

    A paragraph of several lines with an underline is left out: it is far more often a paragraph before a rule.
    """
    fence = ""
    paragraph: list[tuple[int, str]] = []
    for start, line in _lines(text):
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif len(line) > _LONGEST_LINE:
            paragraph = []
        elif opening := _FENCE.match(line):
            fence, paragraph = opening[1], []
        elif atx := _ATX.match(line):
            paragraph = []
            yield Heading(start, len(atx[1]), _CLOSING_MARKS.sub("", atx[2] or "").strip())
        elif (underline := _UNDERLINE.match(line)) and paragraph:
            if len(paragraph) == 1:
                yield Heading(paragraph[0][0], 1 if underline[1][0] == "=" else 2, paragraph[0][1].strip())
            paragraph = []
        else:
            paragraph = [] if _NOT_A_PARAGRAPH.match(line) else [*paragraph[-1:], (start, line)]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield every line with its offset, without its line end."""
    front = _FRONT_MATTER.match(text)
    start = front.end() if front else 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, text[start:end]
        start = end + 1


def _closes(line: str, fence: str) -> bool:
    marks = line.strip()
    return len(line) - len(line.lstrip(" ")) <= 3 and len(marks) >= len(fence) and set(marks) == {fence[0]}
