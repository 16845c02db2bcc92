"""What may come in under which name."""

import pytest

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.core.errors import DocumentTypeError
from tests.contracts.test_document_parsers.files import DOCX, HTML, MARKDOWN, PDF, TEXT, a_docx, a_package, a_pdf

PARSER = SandboxedDocumentParser()
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"
A_PDF = a_pdf(["hello"])
A_DOCX = a_docx(lambda document: document.add_paragraph("hello"))


@pytest.mark.parametrize(
    ("filename", "head", "media_type"),
    [
        ("report.pdf", A_PDF, PDF),
        ("REPORT.PDF", b"\n" * 900 + A_PDF, PDF),
        ("mailed.pdf", b"X-Header: text before the mark\r\n" + b"%PDF-1.4\n1 0 obj\n", PDF),
        ("letter.docx", A_DOCX, DOCX),
        ("letter.docx", a_package({"[Content_Types].xml": b"x", "word/embeddings/sums.xlsx": b"x", "xl/workbook.xml": b"x"}), DOCX),
        ("notes.md", b"# Notes\n", MARKDOWN),
        ("notes.markdown", "größer".encode(), MARKDOWN),
        ("page.html", b"<!doctype html><p>x", HTML),
        ("page.htm", b"<p>a fragment", HTML),
        ("page.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', HTML),
        ("a.txt", b"plain", TEXT),
        ("a.txt", "caf\xe9".encode("latin-1"), TEXT),
        ("a.txt", "text".encode("utf-16"), TEXT),
        ("a.txt", "text".encode("utf-32"), TEXT),
        ("a.txt", "no mark".encode("utf-16-le"), TEXT),
        ("a.txt", "без знака\n".encode("utf-16-be"), TEXT),
        ("source.txt", b"<html>the source of a page</html>", TEXT),
        ("about-pdf.md", b"A PDF begins with `%PDF-1.7`.\n", MARKDOWN),
        ("build.log", b"\x1b[31mred\x1b[0m\n", TEXT),
        ("README", b"BM is how a bitmap begins, MZ a program\n", TEXT),
        (".gitignore", b"*.pyc\n", TEXT),
        ("empty.txt", b"", TEXT),
    ],
)
def test_a_name_and_its_bytes_give_the_media_type(filename: str, head: bytes, media_type: str) -> None:
    assert PARSER.media_type(filename, head[:8192]) == media_type


@pytest.mark.parametrize(
    ("filename", "head", "seems"),
    [
        ("report.txt", A_PDF, "a PDF"),
        ("report.md", b"\xef\xbb\xbf\n%PDF-1.4\n", "a PDF"),
        ("polyglot.html", b"<html>\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n<p>", "a PDF"),
        ("page.pdf", b"<!DOCTYPE html><html>", "an HTML page"),
        ("polyglot.pdf", b"<html><!--\n%PDF-1.4\n--><p>", "an HTML page"),
        ("notes.pdf", b"Just notes.", "text"),
        ("picture.pdf", PNG + b"%PDF-1.4", "image/png"),
        ("picture.txt", PNG, "image/png"),
        ("picture", PNG, "image/png"),
        ("letter.pdf", A_DOCX, "a Word document"),
        ("letter.docx", A_PDF, "a PDF"),
        ("sheet.docx", a_package({"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"}), "an Excel workbook"),
        ("archive.docx", a_package({"photo.jpg": b"x"}), "a ZIP archive"),
        ("old.pdf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "one with a password"),
        ("rich.txt", b"{\\rtf1\\ansi hello}", "rich text"),
        ("noise.md", bytes(range(1, 256)), "binary data"),
        ("empty.pdf", b"", "empty"),
    ],
)
def test_bytes_that_contradict_the_name_are_refused_with_what_they_seem_to_be(filename: str, head: bytes, seems: str) -> None:
    with pytest.raises(DocumentTypeError, match="its content seems to be") as refusal:
        PARSER.media_type(filename, head[:8192])

    assert seems in refusal.value.message


@pytest.mark.parametrize("filename", ["virus.exe", "report.pdf.exe", "film.mp4", "a.<script>"])
def test_an_unknown_extension_is_refused_with_the_list_of_known_ones(filename: str) -> None:
    with pytest.raises(DocumentTypeError, match=r"Supported are \.pdf, \.docx") as refusal:
        PARSER.media_type(filename, b"text")

    assert "script" not in refusal.value.message
