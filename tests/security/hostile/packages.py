"""Honest sheets, slides, texts and books, and ways to spoil a part of them."""

from collections.abc import Callable, Iterator
from typing import Any

from odf.text import H, P

from tests.contracts.test_document_parsers.office_files import a_pptx, a_sheet, an_epub, an_ods, an_odt, an_xls, with_parts
from tests.security.hostile.attack import Attack

SHEET = "xl/worksheets/sheet1.xml"
SLIDE = "ppt/slides/slide1.xml"
CONTENT = "content.xml"
LISTING = "OEBPS/content.opf"
CHAPTER = "OEBPS/text/chapter 0.xhtml"


def _write_slide(presentation: Any) -> None:
    presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "seen"


def _write_text(document: Any) -> None:
    document.text.addElement(H(outlinelevel=1, text="A heading"))
    document.text.addElement(P(text="seen"))


HONEST = {
    "sums.xlsx": a_sheet([["Name", "Sum"], *[["seen", 1.5]] * 20]),
    "sums.xls": an_xls([["Name", "Sum"], *[["seen", 1.5]] * 20]),
    "sums.ods": an_ods([["Name", "Sum"], *[["seen", "1.5"]] * 20]),
    "talk.pptx": a_pptx(_write_slide),
    "text.odt": an_odt(_write_text),
    "book.epub": an_epub(["<h1>One</h1><p>seen</p>", "<p>seen</p>"]),
}


def put(filename: str, part: str, old: bytes, new: bytes) -> bytes:
    """Write something else into a part of the honest file."""

    def change(content: bytes) -> bytes:
        assert old in content, part
        return content.replace(old, new, 1)

    return with_parts(HONEST[filename], {part: change})


def replaced(filename: str, part: str, content: bytes) -> bytes:
    return with_parts(HONEST[filename], {part: lambda _: content})


def declaring(filename: str, part: str, doctype: bytes) -> bytes:
    """Put a document type before the root of a part, and use its entity ``e`` inside."""
    old = b"<spine>" if part == LISTING else b"seen"

    def change(content: bytes) -> bytes:
        assert old in content, part
        root = content[content.index(b"?>") + 2 :] if content.startswith(b"<?xml") else content
        return doctype + root.replace(old, old + b"&e;", 1)

    return with_parts(HONEST[filename], {part: change})


def laughs() -> bytes:
    entities = b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    return b'<!DOCTYPE x [<!ENTITY a0 "ha">' + entities + b'<!ENTITY e "&a11;">]>'


def _external(system: str) -> bytes:
    return f'<!DOCTYPE x SYSTEM "{system}" [<!ENTITY e SYSTEM "{system}"><!ENTITY % p SYSTEM "{system}"> %p;]>'.encode()


_PARTS = (
    ("sums.xlsx", SHEET), ("sums.ods", CONTENT), ("talk.pptx", SLIDE), ("text.odt", CONTENT), ("book.epub", LISTING),
    ("book.epub", CHAPTER),
)  # fmt: skip


def attacks() -> Iterator[Attack]:
    """Yield what every part of XML can be spoilt with."""
    for filename, part in _PARTS:
        forgeries: dict[str, Callable[[str], bytes]] = {
            "a billion laughs": lambda _, filename=filename, part=part: declaring(filename, part, laughs()),  # type: ignore[misc]
            "an entity that reads a file": lambda _, filename=filename, part=part: declaring(  # type: ignore[misc]
                filename, part, _external("file:///etc/passwd")
            ),
            "an entity from the network": lambda address, filename=filename, part=part: declaring(  # type: ignore[misc]
                filename, part, _external(address)
            ),
        }
        for name, forge in forgeries.items():
            yield Attack(f"{filename}: {name} in {part}", filename, forge)
