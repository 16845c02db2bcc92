"""What a file seems to be, from its first bytes."""

import codecs
import re
from dataclasses import dataclass

import filetype

from backend.adapters.document_parsers.formats import Family, Format


@dataclass(frozen=True, slots=True)
class Content:
    """What bytes seem to be; ``phrase`` goes after "seems to be"."""

    family: Family
    phrase: str


_PDF = Content("pdf", "a PDF")
_TEXT = Content("text", "text")
_HTML = Content("text", "an HTML page")
_WORD = Content("word", "a Word document")
_STARTS = (
    (b"{\\rtf", Content("other", "rich text (RTF)")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Content("other", "an Office file in the old format, or one protected by a password")),
)
_PDF_AREA = 1024
"""The header of a PDF may begin anywhere in the first 1,024 bytes (ISO 32000-1, annex H.3.4.1)."""

_PDF_IN_TEXT = re.compile(rb"%PDF-\d\.\d\s{1,2}%[\x80-\xff]{4}")
_XML_DECLARATION = re.compile(rb"<\?xml[^>]*>\s*")
_HTML_START = re.compile(rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_UNICODE_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_CONTROLS = bytes(code for code in range(32) if code not in b"\b\t\n\v\f\r\x1b")
_ARCHIVE_NAME = re.compile(rb"PK\x03\x04.{22}(..)..", re.DOTALL)
_OFFICE_PARTS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/")


def content_of(head: bytes) -> Content:
    """Tell what a file seems to be; ``head`` is its first bytes, at most 8,192 are looked at."""
    head = head[:8192]
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"%PDF-"):
        return _PDF
    if head.startswith(b"PK\x03\x04"):
        return _archive(head)
    for start, content in _STARTS:
        if head.startswith(start):
            return content
    return _text(head) if _looks_like_text(head) else _binary(head)


def agrees(row: Format, content: Content, head: bytes) -> bool:
    """Tell whether bytes may be what the name says."""
    if row.family == "pdf" and content == _TEXT:
        return b"%PDF-" in head[:_PDF_AREA]  # Some generators and mail gateways put lines of text before the header.
    return row.family == content.family


def _archive(head: bytes) -> Content:
    names = [head[m.end() : m.end() + int.from_bytes(m[1], "little")] for m in _ARCHIVE_NAME.finditer(head)]
    for start, content in (
        (b"word/", _WORD),
        (b"xl/", Content("other", "an Excel workbook")),
        (b"ppt/", Content("other", "a PowerPoint presentation")),
        (b"mimetype", Content("other", "an EPUB or OpenDocument file")),
    ):
        if any(name.startswith(start) for name in names):
            return content
    if names and names[0].startswith(_OFFICE_PARTS):
        return _WORD  # The part that tells lies behind the head; the parser finds out.
    return Content("other", "a ZIP archive")


def _looks_like_text(head: bytes) -> bool:
    if head.startswith(_UNICODE_MARKS):
        return True
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return b"\0" not in head and controls * 20 <= len(head)  # Every encoding of text but UTF-16 and UTF-32 leaves these alone.


def _text(head: bytes) -> Content:
    if not head:
        return Content("text", "empty")
    if _PDF_IN_TEXT.search(head[:_PDF_AREA]):
        return _PDF
    return _HTML if _HTML_START.match(_without_prologue(head)) else _TEXT


def _without_prologue(head: bytes) -> bytes:
    """Return what follows the XML declaration and the comments; by hand, for a pattern takes exponential time on many comments."""
    rest = head.removeprefix(codecs.BOM_UTF8).lstrip()
    declaration = _XML_DECLARATION.match(rest)
    rest = rest[declaration.end() :] if declaration else rest
    while rest.startswith(b"<!--") and (end := rest.find(b"-->", 4)) >= 0:
        rest = rest[end + 3 :].lstrip()
    return rest


def _binary(head: bytes) -> Content:
    guess = filetype.guess(head)
    if guess is not None:
        return Content("other", f"a file of type {guess.mime}")
    return _PDF if b"%PDF-" in head[:_PDF_AREA] else Content("other", "binary data")
