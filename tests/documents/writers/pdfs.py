"""PDF: by reportlab, and by hand where a font would be needed that not every machine has."""

from collections.abc import Sequence
from io import BytesIO

from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, SimpleDocTemplate, Table

from tests.documents.real_file import ARABIC, HEBREW, RealFile, Writers, facts

PAGES = ("The keeper lit the lamp at dusk.", "Forty-two ships passed before midnight.", "None of them came back; the café closed.")
FILLER = " ".join(["The sea was calm and the wind came from the west."] * 12)
SHIPS = (("Ship", "Tonnes"), ("Anna", "1250"), ("Berta", "80.5"))


def several_pages() -> RealFile:
    file = BytesIO()
    canvas = Canvas(file)
    for sentence in PAGES:
        canvas.drawString(72, 700, sentence)
        canvas.showPage()
    canvas.save()
    found = [facts(sentence, page=number) for number, sentence in enumerate(PAGES, start=1)]
    return RealFile("log.pdf", file.getvalue(), sum(found, ()), exact=False)


def two_columns() -> RealFile:
    file = BytesIO()
    document = BaseDocTemplate(file)
    document.addPageTemplates(PageTemplate(frames=[Frame(50, 50, 240, 700), Frame(310, 50, 240, 700)]))
    style = getSampleStyleSheet()["Normal"]
    document.build([Paragraph(f"Entry {number} begins. {FILLER} Entry {number} ends.", style) for number in range(1, 13)])
    whole = [f"Entry {number} begins. {FILLER} Entry {number} ends." for number in range(1, 13)]
    return RealFile("columns.pdf", file.getvalue(), facts(*whole, f"{whole[0]} {whole[1]}"), exact=False)


def table() -> RealFile:
    file = BytesIO()
    SimpleDocTemplate(file).build([Table([*SHIPS])])
    return RealFile("ships.pdf", file.getvalue(), facts(*(" ".join(row) for row in SHIPS), page=1), exact=False)


def cut_words() -> RealFile:
    file = BytesIO()
    canvas = Canvas(file)
    for line, text in enumerate(("All the informa-", "tion of the log is well-", "known information.")):
        canvas.drawString(72, 700 - 15 * line, text)
    canvas.save()
    return RealFile(
        "cut.pdf", file.getvalue(), facts("All the information of the log is well- known information.", page=1), exact=False
    )


def unicode_pages(pages: Sequence[str]) -> bytes:
    """Return a PDF whose glyphs stand from left to right as on paper, and whose font tells which characters they are.

    So does every PDF that holds Hebrew or Arabic: its text runs against the order of the glyphs.
    """
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for page in pages:
        characters = sorted(set(page))
        codes = {character: code for code, character in enumerate(characters, start=33)}
        shown = bytes(codes[character] for character in reversed(page)).hex().encode()
        pairs = "\n".join(f"<{code:02x}> <{character.encode('utf-16-be').hex()}>" for character, code in codes.items())
        cmap = f"1 begincodespacerange <00> <ff> endcodespacerange\n{len(codes)} beginbfchar\n{pairs}\nendbfchar\nendcmap".encode()
        content = b"BT /F1 14 Tf 72 700 Td <" + shown + b"> Tj ET"
        first = len(objects) + 1
        kids.append(b"%d 0 R" % first)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << /Font << /F1 %d 0 R >> >> >>"
            % (first + 1, first + 2),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /ToUnicode %d 0 R >>" % (first + 3),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(cmap), cmap),
        ]
    objects[1] = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (b" ".join(kids), len(kids))
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table_at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table_at))


def right_to_left() -> RealFile:
    found = (*facts(HEBREW, page=1), *facts(ARABIC, page=2))
    return RealFile("hebrew.pdf", unicode_pages((HEBREW, ARABIC)), found, exact=False)


FILES: Writers = {
    "pdf": several_pages,
    "pdf with two columns": two_columns,
    "pdf with a table": table,
    "pdf with words cut by lines": cut_words,
    "pdf from right to left": right_to_left,
}
