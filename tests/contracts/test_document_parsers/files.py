"""Files that the tests write for themselves."""

from collections.abc import AsyncIterator, Callable, Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from docx import Document
from fpdf import FPDF

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.ports.document_parser import ParsedDocument

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML = "text/html"
MARKDOWN = "text/markdown"
TEXT = "text/plain"

WORD_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


async def in_pieces(data: bytes, size: int = 1 << 20) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, media_type: str, parser: SandboxedDocumentParser | None = None) -> ParsedDocument:
    return await (parser or SandboxedDocumentParser(timeout_seconds=20)).parse(in_pieces(data), media_type)


def a_pdf(pages: Sequence[str], **encryption: Any) -> bytes:
    pdf = FPDF()
    for text in pages:
        pdf.add_page()
        pdf.set_font("helvetica", size=12)
        pdf.line(10, 10, 100, 100)
        if text:
            pdf.multi_cell(0, 8, text)
    if encryption:
        pdf.set_encryption(**encryption)
    return bytes(pdf.output())


def a_docx(write: Callable[[Any], None]) -> bytes:
    document = Document()
    write(document)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def a_package(parts: dict[str, bytes]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


def a_body(xml: str) -> bytes:
    return f'<w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{xml}</w:body></w:document>'.encode()
