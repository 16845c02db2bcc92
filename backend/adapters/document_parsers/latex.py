"""LaTeX: the text stays as it was written, and its sections are its headings."""

import re
from collections.abc import Iterator

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.outline import lines_of, outlined
from backend.ports.document_parser import ParsedDocument

_INPUT_ENCODING = re.compile(rb"\\usepackage\[([\w-]+)\]\{inputenc\}")
_NAMES = {"ansinew": "cp1252", "latin9": "iso8859-15", "applemac": "mac_roman"}
_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
_SECTION = re.compile(r"[ \t]*\\(part|chapter|section|subsection|subsubsection|paragraph)\*?[ \t]*(?:\[[^\]]*\])?[ \t]*\{(.*)\}")


def parse(data: bytes) -> ParsedDocument:
    """Decode LaTeX, by the encoding that it loads; a heading's text is its argument, and commands in it are not rendered."""
    loaded = _INPUT_ENCODING.search(data[:16_384])
    name = loaded[1].decode("ascii") if loaded else None
    text = canonical(decode(data, _NAMES.get(name, name) if name else None))
    return outlined(text, _sections(text))


def _sections(text: str) -> Iterator[tuple[int, int, str]]:
    for start, line in lines_of(text):
        if match := _SECTION.match(line):
            yield start, _LEVELS[match[1]], match[2]
