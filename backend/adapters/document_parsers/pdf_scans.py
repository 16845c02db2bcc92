"""Pages of a PDF that are pictures of text."""

import resource
import time

from pypdfium2 import PdfDocument, PdfiumError

from backend.adapters.document_parsers import ocr
from backend.adapters.document_parsers.canonical import canonical
from backend.core.errors import ParsingError

_MOST_PIXELS = 30_000_000
"""An A3 page at 300 dots per inch has 17 million; a larger one is rendered with fewer dots."""

_SHARE_OF_TIME = 0.75
"""Of the time that the process has; the rest is for its start, the text of the other pages, and to say that it was not enough."""

_POINTS_PER_INCH = 72
_A_DAY = 86_400.0
_NO_TEXT = (
    "This PDF has no text: it seems to be scanned images, and text recognition is not installed on this server. Run text "
    "recognition (OCR) on it and upload the result, or ask the administrator to install tesseract."
)
_NOTHING_READ = (
    "This PDF has no text: it seems to be scanned images, and text recognition found no words in them. Upload a scan of better "
    "quality, or a version with text."
)


def add_recognised(document: PdfDocument, texts: list[str]) -> list[int]:
    """Put the recognised text of scanned pages into their places in ``texts``; return the numbers of pages that stay unread.

    Where most pages are scanned, all of them have to be read, in the time that this process has (its RLIMIT_CPU, in seconds). A few
    pictures among pages of text are read as far as that time goes.

    Raises:
        ParsingError: ``document_without_text``, ``parser_timeout``, or ``document_unreadable``: tesseract failed on a page.
    """
    blank = [place for place, text in enumerate(texts) if not text.strip()]
    readable = _is_installed() if blank else False
    if len(blank) == len(texts) and not readable:
        raise ParsingError(_NO_TEXT, code="document_without_text")
    if readable:
        _recognise(document, texts, blank)
    return [place + 1 for place in blank if not texts[place].strip() and not _is_empty(document, place)]


def _recognise(document: PdfDocument, texts: list[str], blank: list[int]) -> None:
    end = time.monotonic() + _seconds()
    try:
        for place in blank:
            texts[place] = _recognised(document, place, end - time.monotonic())
    except ocr.RecognitionError as error:
        if len(blank) * 2 > len(texts):
            raise _refusal(error, place + 1, len(texts)) from error
    if not any(text.strip() for text in texts):
        raise ParsingError(_NOTHING_READ, code="document_without_text")


def _is_installed() -> bool:
    try:
        return bool(ocr.arguments())
    except ocr.RecognitionError:
        return False


def _seconds() -> float:
    limit, _ = resource.getrlimit(resource.RLIMIT_CPU)
    return _A_DAY if limit == resource.RLIM_INFINITY else limit * _SHARE_OF_TIME


def _refusal(error: ocr.RecognitionError, number: int, of: int) -> ParsingError:
    if isinstance(error, ocr.RecognitionTimeoutError):
        message = f"Recognising the text of this scanned PDF takes too long: the time was over at page {number} of {of}. "
        return ParsingError(message + "Split it into smaller files, or upload a version with text.", code="parser_timeout")
    message = f"Page {number} of the PDF is a picture, and recognising its text failed. "
    return ParsingError(message + "Run text recognition (OCR) on it yourself and upload the result.")


def _recognised(document: PdfDocument, place: int, seconds: float) -> str:
    picture = _picture(document, place)
    return canonical(ocr.recognised(picture, seconds)) if picture else ""


def _is_empty(document: PdfDocument, place: int) -> bool:
    try:
        return next(document[place].get_objects(max_depth=1), None) is None
    except PdfiumError as error:
        raise ParsingError(f"Page {place + 1} of the PDF is damaged, so its text cannot be read.") from error


def _picture(document: PdfDocument, place: int) -> bytes:
    """Render a page in grey as PGM; nothing for a page without anything on it."""
    if _is_empty(document, place):
        return b""
    try:
        page = document[place]
        width, height = page.get_size()
        scale = ocr.DOTS_PER_INCH / _POINTS_PER_INCH
        scale *= min(1.0, (_MOST_PIXELS / max(1.0, width * height * scale**2)) ** 0.5)
        bitmap = page.render(scale=scale, grayscale=True)
    except PdfiumError as error:
        raise ParsingError(f"Page {place + 1} of the PDF is damaged, so its text cannot be read.") from error
    rows, stride = memoryview(bitmap.buffer), bitmap.stride
    pixels = b"".join(rows[row * stride : row * stride + bitmap.width] for row in range(bitmap.height))
    page.close()
    return b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + pixels
