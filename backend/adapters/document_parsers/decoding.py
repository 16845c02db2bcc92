"""From bytes to characters, for formats that do not say how they are encoded, or say it wrongly."""

import codecs

from backend.adapters.document_parsers.guessing import likely_encodings
from backend.adapters.document_parsers.wide import wide_encoding
from backend.core.errors import ParsingError

# UTF-32 comes first: its little-endian mark begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_AS_WINDOWS = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
# No declaration in ASCII letters can be of UTF-16 or UTF-32, and the others are not encodings of documents.
_NEVER_DECLARED = ("idna", "punycode", "unicode_escape", "raw-unicode-escape", "undefined", "utf-7", "utf-16", "utf-32")
_JAPANESE_MAIL = (b"\x1b$B", b"\x1b$@")
"""How Japanese begins in ISO-2022-JP, whose bytes are valid UTF-8."""


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode by the byte order mark, else as strict UTF-8, else as declared in the file, else by a guess from the bytes.

    Strict UTF-8 goes before the declaration, because text in another encoding is practically never valid UTF-8, and wrong
    declarations are common. Only encodings that write in seven bits are believed first.

    Raises:
        ParsingError: ``document_unreadable``: the mark promises an encoding that the bytes break, or no encoding fits.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _try(data[len(mark) :], encoding, errors="surrogatepass")
            if text is None:
                message = f"The file says that its text is {encoding.upper()}, but it is not. Save it as UTF-8, and upload that."
                raise ParsingError(message)
            return text
    for encoding in _order(data, _codec(declared)):
        text = _try(data, encoding)
        if text is not None:
            return text
    for encoding in likely_encodings(data):
        text = _try(data, encoding)
        if text is not None:
            return text
    return data.decode("latin-1")


def _order(data: bytes, told: str) -> list[str]:
    first = wide_encoding(data)
    if told.startswith(("iso2022", "hz")):
        first = told
    elif any(start in data for start in _JAPANESE_MAIL):
        first = "iso2022_jp"
    return [encoding for encoding in (first, "utf-8", told) if encoding]


def _try(data: bytes, encoding: str, errors: str = "strict") -> str | None:
    try:
        return data.decode(encoding, errors)
    except (UnicodeDecodeError, LookupError):  # A LookupError: a codec that does not make text, such as "hex".
        return None


def _codec(declared: str | None) -> str:
    try:
        name = codecs.lookup(declared or "undefined").name
    except (LookupError, ValueError):
        return ""
    return "" if name.startswith(_NEVER_DECLARED) else _AS_WINDOWS.get(name, name)
