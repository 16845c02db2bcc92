"""Books (.epub): the chapters are pages of XHTML, and are read as such."""

from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

from backend.adapters.document_parsers import html
from backend.adapters.document_parsers.composer import Composer
from backend.adapters.document_parsers.package import package, part
from backend.adapters.document_parsers.xml_tree import Element, attribute, every
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument

_PHRASE = "an EPUB book"
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document", "image/svg+xml")
_FONTS_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""What hides fonts and not text."""


def parse(data: bytes) -> ParsedDocument:
    """Read the chapters in the order of the spine; each is a page, with the headings that HTML has.

    Raises:
        ParsingError: ``document_too_complex``, ``document_encrypted`` (protected against copying) or ``document_unreadable``, also
            where a single chapter is missing: the rest would pass for the whole book.
    """
    with package(data, _PHRASE) as archive:
        _refuse_protection(archive)
        composer = Composer()
        for path in _chapters(archive):
            composer.page()
            composer.append(html.parse(archive.read(path)))
        return composer.document()


def _refuse_protection(archive: ZipFile) -> None:
    if _ENCRYPTION not in archive.namelist():
        return
    methods = every(part(archive, _ENCRYPTION), "EncryptionMethod")
    if any(attribute(method, "Algorithm") not in _FONTS_ONLY for method in methods):
        message = "The book is protected against copying (DRM). Upload an edition without that."
        raise ParsingError(message, code="document_encrypted")


def _chapters(archive: ZipFile) -> list[str]:
    """Return the names of the parts that the spine lists.

    Raises:
        KeyError: The spine names what the book does not have.
        StopIteration: The book has no list of its parts.
    """
    listing = next(attribute(file, "full-path") for file in every(part(archive, _CONTAINER), "rootfile"))
    book = part(archive, listing)
    items = {attribute(item, "id"): item for item in every(book, "item")}
    spine = [items[attribute(reference, "idref")] for reference in every(book, "itemref")]
    pages = [_readable(item, items) for item in spine]
    return [_inside(listing, attribute(item, "href")) for item in pages if item is not None]


def _readable(item: Element, items: dict[str, Element]) -> Element | None:
    """Return the item, or the one that stands in for it where it is no page but, for instance, a picture."""
    for _ in range(len(items)):
        if attribute(item, "media-type") in _PAGES:
            return item
        if attribute(item, "fallback") not in items:
            return None
        item = items[attribute(item, "fallback")]
    return None


def _inside(listing: str, href: str) -> str:
    return normpath(join(dirname(listing), unquote(urlsplit(href).path)))
