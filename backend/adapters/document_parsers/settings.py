"""Files of settings (.ini, .toml, .yaml): the text stays as it was written, and its sections are its headings."""

import re

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.outline import by_pattern
from backend.ports.document_parser import ParsedDocument

_SECTION = re.compile(r"\[{1,2}([^\[\],]+)\]{1,2}[ \t]*(?:[#;].*)?$|([A-Za-z_][\w./-]*):[ \t]*(?:#.*)?$")


def parse(data: bytes) -> ParsedDocument:
    """Decode settings; a heading is a ``[section]``, or a key at the left margin that holds what is indented below it."""
    return by_pattern(canonical(decode(data)), _SECTION)
