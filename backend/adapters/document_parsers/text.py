"""Plain text."""

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.decoding import decode
from backend.ports.document_parser import ParsedDocument


def parse(data: bytes) -> ParsedDocument:
    """Decode plain text; nothing of it is interpreted."""
    return ParsedDocument(canonical(decode(data)))
