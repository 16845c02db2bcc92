"""PDF whose pages are pictures of text; not among ``FILES``, for reading them takes tesseract."""

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.documents.real_file import RealFile, facts

PAGES = ("The keeper lit the lamp at dusk", "Seven ships passed before midnight")
WIDTH, HEIGHT = 595, 842
DOTS_PER_POINT = 2


def picture(text: str) -> Image.Image:
    image = Image.new("L", (WIDTH * DOTS_PER_POINT, HEIGHT * DOTS_PER_POINT), 255)
    ImageDraw.Draw(image).text((100, 200), text, font=ImageFont.load_default(size=40), fill=0)
    return image


def scanned(pages: Sequence[str] = PAGES, typed: Sequence[str] = ()) -> RealFile:
    """Return a PDF of pictures, then of typed pages."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT))
    for text in pages:
        canvas.drawImage(ImageReader(picture(text)), 0, 0, WIDTH, HEIGHT)
        canvas.showPage()
    for text in typed:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    found = [facts(text, page=number) for number, text in enumerate([*pages, *typed], start=1)]
    return RealFile("scan.pdf", file.getvalue(), sum(found, ()), exact=False)
