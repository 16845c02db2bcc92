"""What a file seems to be, from its first bytes."""

import codecs
import re

import filetype

from backend.adapters.document_parsers import archives, ole
from backend.adapters.document_parsers.formats import EXTENSIONS, FORMATS, Content, Format
from backend.adapters.document_parsers.wide import wide_encoding

_PDF = Content("pdf", "a PDF")
_TEXT = Content("text", "text")
_HTML = Content("text", "an HTML page")
_RTF = Content("rtf", "rich text (RTF)")
_OFFICE = ("word", "excel", "powerpoint")
_MAY_BE = {"office": _OFFICE, "ole": _OFFICE, "zipped": ("odt", "ods", "odp", "epub")}
"""Containers and what may be in them. A new Office file with a password comes in the container of the old ones."""

_PDF_AREA = 1024
"""The header of a PDF may begin anywhere in the first 1,024 bytes (ISO 32000-1, annex H.3.4.1)."""

_PDF_IN_TEXT = re.compile(rb"%PDF-\d\.\d\s{1,2}%[\x80-\xff]{4}")
_XML_DECLARATION = re.compile(rb"<\?xml[^>]*>\s*")
_HTML_START = re.compile(rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_UNICODE_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_CONTROLS = bytes(code for code in range(32) if code not in b"\b\t\n\v\f\r\x1b")


def content_of(head: bytes) -> Content:
    """Tell what a file seems to be; ``head`` is its first bytes, at most 8,192 are looked at."""
    head = head[:8192]
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"%PDF-"):
        return _PDF
    if head.startswith(b"PK\x03\x04"):
        return archives.in_zip(head)
    if head.startswith(ole.MARK):
        return archives.in_ole()
    if head.startswith(b"{\\rtf"):
        return _RTF
    return _text(head) if _looks_like_text(head) else _binary(head)


def agrees(row: Format, content: Content, head: bytes) -> bool:
    """Tell whether bytes may be what the name says."""
    if row.family == "pdf" and content == _TEXT:
        return b"%PDF-" in head[:_PDF_AREA]  # Some generators and mail gateways put lines of text before the header.
    return row.family == content.family or row.family in _MAY_BE.get(content.family, ())


def advice(content: Content) -> str:
    """Return what to do with a file whose name says something else."""
    if content.family == "ole":
        return "Remove its password, if it has one, save it as .docx, .xlsx, .pptx or PDF, and upload that."
    if content in (_TEXT, _HTML):
        extension = ".txt" if content == _TEXT else ".html"
    else:
        extension = next((row.extensions[0] for row in FORMATS if row.family == content.family != "text"), "")
    if extension:
        return f"If it is, rename it to {extension} and upload it again; if not, save it anew from the program that made it."
    return f"Supported are {EXTENSIONS}."


def _looks_like_text(head: bytes) -> bool:
    if head.startswith(_UNICODE_MARKS):
        return True
    if wide_encoding(head) is not None:
        return True
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return b"\0" not in head and controls * 20 <= len(head)  # Every other encoding of text leaves these alone.


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
