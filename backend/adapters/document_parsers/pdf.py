"""PDF, with PDFium."""

import re

from pypdfium2 import PdfDocument, PdfiumError

from backend.adapters.document_parsers.canonical import canonical
from backend.adapters.document_parsers.pdf_scans import add_recognised
from backend.core.errors import ParsingError
from backend.ports.document_parser import PageSpan, ParsedDocument

_ADVICE = "Upload it again; if that does not help, open it, print it to a new PDF, and upload that."

_PROTECTED = (4, 5)
"""FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY: a password is missing, or a way of protection that PDFium does not know."""

_GAP = "\n\n"
_MOST_LISTED = 20
_CUT_WORD = re.compile("([^\\W\\d_]+)\ufffe([^\\W\\d_]+)")
_WORD = re.compile(r"[^\W\d_]+")


def parse(data: bytes) -> ParsedDocument:
    """Read the text of every page, in order, with a blank line between pages; a page without text is an empty span.

    Scanned pages are read by tesseract where it is installed. Text comes in the order in which it was written to the page: column
    by column where columns were set, row by row in tables.

    Raises:
        ParsingError: ``document_encrypted``, ``document_without_text`` (scanned images), ``parser_timeout``, or
            ``document_unreadable``, also where a single page is damaged: the rest would pass for the whole document.
    """
    document = _open(data)
    texts = [canonical(_page_text(document, number)) for number in range(1, len(document) + 1)]
    unread = add_recognised(document, texts)
    pages: list[PageSpan] = []
    start = 0
    for number, text in enumerate(_with_whole_words(texts), start=1):
        texts[number - 1] = text
        pages.append(PageSpan(number, start, start + len(text)))
        start += len(text) + len(_GAP)
    return ParsedDocument(_GAP.join(texts), pages=tuple(pages), notes=_notes(unread))


def _notes(unread: list[int]) -> tuple[str, ...]:
    if not unread:
        return ()
    listed = ", ".join(map(str, unread[:_MOST_LISTED])) + (", ..." if len(unread) > _MOST_LISTED else "")
    which = f"Page {listed} shows a picture" if len(unread) == 1 else f"Pages {listed} show pictures"
    return (f"{which} in which no text could be read.",)


def _open(data: bytes) -> PdfDocument:
    try:
        return PdfDocument(data)
    except PdfiumError as error:
        if error.err_code in _PROTECTED:
            message = "The PDF is protected by a password. Upload a copy without one."
            raise ParsingError(message, code="document_encrypted") from error
        raise ParsingError(f"The PDF is damaged or incomplete, so its text cannot be read. {_ADVICE}") from error


def _page_text(document: PdfDocument, number: int) -> str:
    try:
        page = document[number - 1]
        text_page = page.get_textpage()
        text: str = text_page.get_text_range()
    except PdfiumError as error:
        raise ParsingError(f"Page {number} of the PDF is damaged, so its text cannot be read. {_ADVICE}") from error
    text_page.close()
    page.close()
    return text


def _with_whole_words(texts: list[str]) -> list[str]:
    """Join words that a line's end cut in two, where the document has the whole word elsewhere; the other hyphens stay.

    PDFium marks a hyphen at the end of a line, and nothing tells whether it belongs to the word (well-known) or not.
    """
    if not any("\ufffe" in text for text in texts):
        return texts
    known = {word.casefold() for text in texts for word in _WORD.findall(text)}

    def joined(cut: re.Match[str]) -> str:
        whole = cut[1] + cut[2]
        return whole if whole.casefold() in known else f"{cut[1]}-\n{cut[2]}"

    return [_CUT_WORD.sub(joined, text).replace("\ufffe", "-\n") for text in texts]
