"""What a ZIP archive or an OLE2 container seems to be, from its first bytes: a ZIP has its directory at the other end."""

import re

from backend.adapters.document_parsers.formats import Content

_ENTRY = re.compile(rb"PK\x03\x04.{22}(..)(..)", re.DOTALL)
_ENCRYPTED = "the container of an old Office file, or of one with a password"
_ROOTS = (
    (b"word/", Content("word", "a Word document")),
    (b"xl/", Content("excel", "an Excel workbook")),
    (b"ppt/", Content("powerpoint", "a PowerPoint presentation")),
    (b"META-INF/container.xml", Content("epub", "an EPUB book")),
)
_DECLARED = (
    (b"application/vnd.oasis.opendocument.text", Content("odt", "an OpenDocument text")),
    (b"application/vnd.oasis.opendocument.spreadsheet", Content("ods", "an OpenDocument spreadsheet")),
    (b"application/vnd.oasis.opendocument.presentation", Content("odp", "an OpenDocument presentation")),
    (b"application/vnd.oasis.opendocument", Content("other", "an OpenDocument drawing or formula")),
    (b"application/epub+zip", Content("epub", "an EPUB book")),
)
_OFFICE_PARTS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/")


def in_zip(head: bytes) -> Content:
    """Tell by the parts that are in sight, or by the first one, ``mimetype``, which says it in OpenDocument and EPUB.

    Where the part that tells lies behind the head, the family is one of several; the parser finds out.
    """
    entries = list(_ENTRY.finditer(head))
    names = [head[entry.end() : entry.end() + int.from_bytes(entry[1], "little")] for entry in entries]
    if names and names[0] == b"mimetype":
        return _declared(head[entries[0].end() + len(names[0]) + int.from_bytes(entries[0][2], "little") :])
    for name in names:  # In order, for a file of Office may hold another one, whose parts are in sight too.
        for root, content in _ROOTS:
            if name.startswith(root):
                return content
    if names and names[0].startswith(_OFFICE_PARTS):
        return Content("office", "a file of Office")
    return Content("other", "a ZIP archive")


def in_ole() -> Content:
    """Return what all such containers seem to be: the directory may be anywhere in them."""
    return Content("ole", _ENCRYPTED)


def _declared(rest: bytes) -> Content:
    for media_type, content in _DECLARED:
        if rest.startswith(media_type):
            return content
    return Content("zipped", "an EPUB or OpenDocument file")
