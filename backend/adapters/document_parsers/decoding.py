"""From bytes to characters, for formats that do not say how they are encoded, or say it wrongly."""

import codecs
import re

from charset_normalizer import from_bytes

from backend.core.errors import ParsingError

# UTF-32 comes first: its little-endian mark begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The legacy encodings of the WHATWG's standard: the rarer ones only add wrong guesses.
_LEGACY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8_r", "iso8859_2",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_AS_WINDOWS = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
# No declaration in ASCII letters can be of UTF-16 or UTF-32, and the others are not encodings of documents.
_NEVER_DECLARED = ("idna", "punycode", "unicode_escape", "raw-unicode-escape", "undefined", "utf-7", "utf-16", "utf-32")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SAMPLE = 256 * 1024
_NEARLY_AS_GOOD = 0.1


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
                raise ParsingError(f"The file says that its text is {encoding.upper()}, but it is not.")
            return text
    told = _codec(declared)
    order = (told, "utf-8") if told.startswith(("iso2022", "hz")) else ("utf-8", told)
    for encoding in order:
        text = _try(data, encoding) if encoding else None
        if text is not None:
            return text
    return _guess(data)


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


def _guess(data: bytes) -> str:
    for encoding in (*_candidates(data), "cp1252", "gb18030"):
        text = _try(data, encoding)
        if text is not None:
            return text
    return data.decode("latin-1")


def _candidates(data: bytes) -> list[str]:
    """Return encodings, the likeliest first.

    Short western text fits many code pages equally well; then the one that most of the world's files are in wins.
    """
    telling = _NOT_ASCII.search(data)  # UTF-8 failed, so there is one.
    start = max(0, telling.start() - _SAMPLE // 4) if telling else 0
    matches = list(from_bytes(data[start : start + _SAMPLE], cp_isolation=_LEGACY))
    found = [name for match in matches for name in (match.encoding, *match.could_be_from_charset)]
    if any("cp1252" in m.could_be_from_charset and m.chaos <= matches[0].chaos + _NEARLY_AS_GOOD for m in matches):
        found.insert(0, "cp1252")
    return found
