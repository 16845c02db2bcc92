"""Slides, texts and books that nest, repeat or lie."""

from collections.abc import Callable, Iterator

from tests.contracts.test_document_parsers.office_files import EPUB, ODT, declared
from tests.security.hostile.attack import HIDDEN, Attack, lazily
from tests.security.hostile.packages import CHAPTER, LISTING, SLIDE, put, replaced
from tests.security.hostile.sheets import NAMESPACES

_GROUP = b"<p:grpSp><p:grpSpPr/>"
_FRAME = b"<p:graphicFrame>%b</p:graphicFrame>"
_SHAPE = b"<p:sp><p:txBody><a:p><a:r><a:t>seen</a:t></a:r></a:p></p:txBody></p:sp>"


def _slide(shapes: bytes) -> bytes:
    return put("talk.pptx", SLIDE, b"</p:spTree>", shapes + b"</p:spTree>")


def _slides() -> dict[str, Callable[[], bytes]]:
    place = b'<p:spPr><a:xfrm><a:off x="1e9" y=""/></a:xfrm></p:spPr>'
    cell = b"<a:tc hMerge=''><a:txBody><a:p><a:r><a:t>x</a:t></a:r></a:p></a:txBody></a:tc>"
    tables = b"<a:tbl><a:tr><a:tc>" * 60 + b"</a:tc></a:tr></a:tbl>" * 60
    return {
        "groups nested 100,000 deep": lambda: _slide(_GROUP * 100_000),
        "groups nested 200 deep": lambda: _slide(_GROUP * 200 + _SHAPE + b"</p:grpSp>" * 200),
        "100,000 shapes": lambda: _slide(_SHAPE * 100_000),
        "a table in a table": lambda: _slide(_FRAME % tables),
        "a row of 200,000 cells": lambda: _slide(_FRAME % (b"<a:tbl><a:tr>" + cell * 200_000 + b"</a:tr></a:tbl>")),
        "places that are no numbers": lambda: put("talk.pptx", SLIDE, b"<p:spPr/>", place),
        "a text that unpacks to 100 MB": lambda: put("talk.pptx", SLIDE, b"seen", b"0" * 100_000_000),
        "a text that unpacks to 9 MB": lambda: put("talk.pptx", SLIDE, b"seen", b"0" * 9_000_000),
        "a slide 20,000 times": lambda: put(
            "talk.pptx", "ppt/presentation.xml", b"</p:sldIdLst>", b'<p:sldId r:id="rId7"/>' * 20_000 + b"</p:sldIdLst>"
        ),
        "relations that climb": lambda: put(
            "talk.pptx", "ppt/_rels/presentation.xml.rels", b"slides/slide1.xml", b"../../../../etc/passwd"
        ),
        "a slide that is its own notes": lambda: put(
            "talk.pptx", "ppt/slides/_rels/slide1.xml.rels", b"<Relationship ",
            b'<Relationship Id="n" Type="x/notesSlide" Target="slide1.xml"/><Relationship '
        ),
    }  # fmt: skip


def _odt(body: str) -> bytes:
    content = f"<office:x {NAMESPACES}><office:body><office:text>{body}</office:text></office:body></office:x>"
    return declared(ODT, {"content.xml": content.encode()})


def _texts() -> dict[str, Callable[[], bytes]]:
    cell = "<table:table-cell table:number-columns-repeated='999999999'><text:p>x</text:p></table:table-cell>"
    row = f"<table:table-row>{cell}</table:table-row>"
    deleted = f"<text:tracked-changes><text:p>{HIDDEN}</text:p></text:tracked-changes>"
    return {
        "sections nested 100,000 deep": lambda: _odt("<text:section>" * 100_000),
        "sections nested 240 deep": lambda: _odt("<text:section>" * 240 + "<text:p>seen</text:p>" + "</text:section>" * 240),
        "spans nested 240 deep": lambda: _odt("<text:p>" + "<text:span>" * 240 + "seen" + "</text:span>" * 240 + "</text:p>"),
        "a billion spaces": lambda: _odt("<text:p>seen<text:s text:c='1000000000'/></text:p>" * 100),
        "cells that repeat": lambda: _odt("<table:table>" + row * 20_000 + "</table:table>"),
        "a text that unpacks to 100 MB": lambda: _odt("<text:p>" + "0" * 100_000_000 + "</text:p>"),
        "deleted text": lambda: _odt(f"{deleted}<text:p>seen</text:p>"),
        "no body": lambda: declared(ODT, {"content.xml": b"<x/>"}),
        "a level of nine digits": lambda: _odt("<text:h text:outline-level='999999999'>seen</text:h>"),
        "200,001 headings": lambda: _odt("<text:h>x</text:h>" * 200_001),
    }  # fmt: skip


def _books() -> dict[str, Callable[[], bytes]]:
    circle = b'<manifest><item id="x" media-type="y" fallback="z"/><item id="z" media-type="y" fallback="x"/>'
    itself = b'<x><rootfile full-path="META-INF/container.xml"/></x>'
    return {
        "a chapter 20,000 times": lambda: put("book.epub", LISTING, b"<spine>", b"<spine>" + b'<itemref idref="c0"/>' * 20_000),
        "fallbacks in a circle": lambda: put(
            "book.epub", LISTING, b"<manifest>", circle
        ).replace(b'idref="c0"', b'idref="x"'),
        "a chapter that unpacks to 100 MB": lambda: replaced("book.epub", CHAPTER, b"<p>" + b"0" * 100_000_000),
        "a chapter that unpacks to 15 MB": lambda: replaced("book.epub", CHAPTER, b"<p>" + b"0" * 15_000_000),
        "a chapter of 100,000 nested elements": lambda: replaced("book.epub", CHAPTER, b"<div>" * 100_000),
        "a book that lists itself": lambda: declared(EPUB, {"META-INF/container.xml": itself}),
        "chapters that climb": lambda: put("book.epub", LISTING, b"text/chapter%200", b"../../../../etc/passwd"),
    }  # fmt: skip


def attacks() -> Iterator[Attack]:
    for kind, filename, files in (("pptx", "talk.pptx", _slides()), ("odt", "text.odt", _texts()), ("epub", "book.epub", _books())):
        for name, write in files.items():
            yield Attack(f"{kind}: {name}", filename, lazily(write))
