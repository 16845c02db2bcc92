"""What a parsing process answers: a line of JSON with positions or a refusal, then the text in UTF-8.

The text travels outside of the JSON, for decoding UTF-8 is several times faster than parsing JSON, on the server's event loop.
"""

import orjson

from backend.core.errors import ParsingError
from backend.ports.document_parser import Heading, PageSpan, ParsedDocument

OUT_OF_MEMORY = 71
"""The exit status that says so: a process without memory cannot be asked to write a message."""

MOST_POSITIONS = 200_000
"""Of pages and headings together; each costs the server some 300 bytes."""


def encode(document: ParsedDocument) -> tuple[bytes, bytes]:
    """Return the line and the text."""
    text = document.text.encode()
    positions = {
        "size": len(text),
        "pages": [(page.number, page.start, page.end) for page in document.pages],
        "headings": [(heading.start, heading.level, heading.text) for heading in document.headings],
        "notes": document.notes,
    }
    return orjson.dumps(positions) + b"\n", text


def encode_refusal(code: str, message: str, cause: str = "") -> bytes:
    """Return a refusal; ``cause`` is for the operator's log."""
    return orjson.dumps({"code": code, "message": message, "cause": cause}) + b"\n"


def decode(output: bytes | bytearray) -> ParsedDocument:
    """Read an answer.

    Raises:
        ParsingError: The refusal.
        ValueError: This is no answer, or an incomplete one.
    """
    end = output.index(b"\n") + 1
    answer = orjson.loads(memoryview(output)[:end])
    match answer:
        case {"code": str(code), "message": str(message), "cause": str(cause)}:
            refusal = ParsingError(message, code=code)
            refusal.details["cause"] = cause
            raise refusal
        case {"size": int(size), "pages": list(pages), "headings": list(headings), "notes": list(notes)} if (
            size == len(output) - end
        ):
            return ParsedDocument(
                str(memoryview(output)[end:], "utf-8"),
                pages=tuple(PageSpan(*page) for page in pages),
                headings=tuple(Heading(*heading) for heading in headings),
                notes=tuple(map(str, notes)),
            )
        case _:
            raise ValueError("incomplete")
