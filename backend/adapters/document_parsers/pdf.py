"""PDF, with PDFium."""

from pypdfium2 import PdfDocument, PdfiumError

from backend.adapters.document_parsers.canonical import canonical
from backend.core.errors import ParsingError
from backend.ports.document_parser import PageSpan, ParsedDocument

_PROTECTED = (4, 5)
"""FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY: a password is missing, or a way of protection that PDFium does not know."""

_GAP = "\n\n"


def parse(data: bytes) -> ParsedDocument:
    """Read the text of every page, in order, with a blank line between pages; a page without text is an empty span.

    Raises:
        ParsingError: ``document_encrypted``, ``document_without_text`` (scanned images), or ``document_unreadable``, also where
            a single page is damaged: the rest would pass for the whole document.
    """
    texts: list[str] = []
    pages: list[PageSpan] = []
    start = 0
    document = _open(data)
    for number in range(1, len(document) + 1):
        text = canonical(_page_text(document, number))
        texts.append(text)
        pages.append(PageSpan(number, start, start + len(text)))
        start += len(text) + len(_GAP)
    if not any(text.strip() for text in texts):
        raise ParsingError(
            "This PDF has no text: it seems to be scanned images. Run text recognition (OCR) on it and upload the result.",
            code="document_without_text",
        )
    return ParsedDocument(_GAP.join(texts), pages=tuple(pages))


def _open(data: bytes) -> PdfDocument:
    try:
        return PdfDocument(data)
    except PdfiumError as error:
        if error.err_code in _PROTECTED:
            message = "The PDF is protected by a password. Upload a copy without one."
            raise ParsingError(message, code="document_encrypted") from error
        raise ParsingError("The PDF is damaged or incomplete, so its text cannot be read.") from error


def _page_text(document: PdfDocument, number: int) -> str:
    try:
        page = document[number - 1]
        text_page = page.get_textpage()
        text: str = text_page.get_text_range()
    except PdfiumError as error:
        raise ParsingError(f"Page {number} of the PDF is damaged, so its text cannot be read.") from error
    text_page.close()
    page.close()
    return text.replace("\ufffe", "-\n")  # PDFium's sign for a hyphen at the end of a line: the page shows the hyphen.
