"""Content-Disposition of a part: which field it is, and what the file is called."""

import posixpath
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from backend.core.errors import UploadInvalidError

_LONGEST = 255
_LONGEST_SUFFIX = 32

# Browsers send a quotation mark as %22 and leave backslashes alone; older curl sends \". So \" is an escape, unless the value ends
# there.
_PARAMETER = re.compile(
    rb"""[ \t]*;[ \t]*(?P<key>[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*"""
    rb"""(?:"(?P<quoted>(?:\\"(?![ \t]*(?:;|\Z))|[^"])*)"|(?P<plain>[^;"]*))[ \t]*(?=;|\Z)"""
)
_ESCAPED_BY_BROWSERS = re.compile(rb"%(22|0D|0A)", re.IGNORECASE)
_EXTENDED = re.compile(rb"(?P<charset>[^']*)'[^']*'(?P<value>.*)", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Disposition:
    """The field's name and, if the part is a file, its raw name as ``file_name`` reads it."""

    name: str
    filename: str | None


def read_disposition(headers: dict[bytes, bytes]) -> Disposition:
    """Read the header that names a part.

    ``filename*`` (RFC 2231) counts before ``filename``. Bytes that are not UTF-8 are read as Latin-1.

    Raises:
        UploadInvalidError: It is missing, malformed, says something twice, or the part is encoded (base64, quoted-printable).
    """
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in (b"7bit", b"8bit", b"binary"):
        raise UploadInvalidError("Send the file's bytes as they are, without a Content-Transfer-Encoding.")
    kind, parameters = _parameters(headers.get(b"content-disposition", b""))
    if kind != b"form-data" or b"name" not in parameters:
        raise UploadInvalidError("A part of the multipart body has no name.")
    filename = parameters.get(b"filename")
    extended = _extended(parameters.get(b"filename*", b""))
    if extended is not None:
        return Disposition(_text(parameters[b"name"]), extended)
    if filename is None and b"filename*" in parameters:
        raise UploadInvalidError("The file's name is in an encoding that is not supported.")
    return Disposition(_text(parameters[b"name"]), None if filename is None else _text(filename))


def file_name(raw: str) -> str:
    """Return the last component of a name, on either kind of slash, without control characters, at most 255 characters long.

    A longer one loses the end of its stem and keeps its extension.

    Raises:
        UploadInvalidError: Nothing is left, or it holds a lone surrogate.
    """
    if _SURROGATE.search(raw):
        raise UploadInvalidError("The file's name is not valid Unicode.")
    name = re.split(r"[/\\]", raw)[-1]
    name = "".join(sign for sign in name if unicodedata.category(sign) not in ("Cc", "Zl", "Zp")).strip()
    if name in ("", ".", ".."):
        raise UploadInvalidError("The file has no name.")
    stem, suffix = posixpath.splitext(name)
    if len(suffix) > _LONGEST_SUFFIX:
        return name[:_LONGEST].rstrip()
    return stem[: _LONGEST - len(suffix)] + suffix


def _parameters(header: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    header = header.rstrip(b" \t;")
    kind = header.partition(b";")[0]
    position, found = len(kind), dict[bytes, bytes]()
    while position < len(header):
        match = _PARAMETER.match(header, position)
        if match is None or match["key"].lower() in found:
            raise UploadInvalidError("A part of the multipart body has a malformed Content-Disposition.")
        quoted = match["quoted"]
        value = match["plain"].strip() if quoted is None else _ESCAPED_BY_BROWSERS.sub(_unescaped, quoted.replace(rb"\"", b'"'))
        found[match["key"].lower()] = value
        position = match.end()
    return kind.strip().lower(), found


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())


def _extended(value: bytes) -> str | None:
    match = _EXTENDED.fullmatch(value)
    if match is None:
        return None
    raw = unquote_to_bytes(match["value"])
    charset = match["charset"].lower()
    if charset == b"iso-8859-1":
        return raw.decode("latin-1")
    return _text(raw) if charset == b"utf-8" else None


def _text(raw: bytes) -> str:
    try:
        # Surrogates in UTF-8's clothes must be seen, to be refused by name, and not be read as Latin-1.
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
