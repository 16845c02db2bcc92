"""SQL: the text stays as it was written, and the things that it creates are its headings."""

import re

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.decoding import decode
from backend.adapters.document_parsers.outline import by_pattern
from backend.ports.document_parser import ParsedDocument

_CREATED = re.compile(
    r"((?:create|alter)[ \t]+(?:[a-z]+[ \t]+){1,6}?[\w.\"`\[\]]+)(?:[ \t]*[(;]|[ \t]+(?:as|on|add|returns)\b|[ \t]*$)",
    re.IGNORECASE,
)


def parse(data: bytes) -> ParsedDocument:
    """Decode SQL; a heading is the beginning of a statement that creates or alters something."""
    return by_pattern(canonical(decode(data)), _CREATED)
