"""Books: .epub, put together by hand."""

from html import escape
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from tests.documents.real_file import SENTENCES, RealFile, Writers, facts

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The log</dc:title></metadata>
<manifest>{items}</manifest><spine>{spine}</spine></package>"""
CHAPTER = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><h1>Night {number}</h1><p>{text}</p></body></html>"""


def epub() -> RealFile:
    chapters = [(f"night {number}.xhtml", number, sentence) for number, sentence in enumerate(SENTENCES, start=1)]
    items = "".join(
        f'<item id="c{number}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
        for name, number, _ in reversed(chapters)
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for _, number, _ in chapters)
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", PACKAGE.format(items=items, spine=spine))
        for name, number, sentence in reversed(chapters):
            archive.writestr(f"OEBPS/{name}", CHAPTER.format(number=number, text=escape(sentence)))
    found = [facts(f"Night {number}", sentence, page=number) for _, number, sentence in chapters]
    return RealFile("log.epub", file.getvalue(), tuple(fact for chapter in found for fact in chapter))


FILES: Writers = {"epub": epub}
