"""Rich text (RTF), written by hand as word processors write it."""

from tests.documents.real_file import ROWS, RUSSIAN, SENTENCES, RealFile, Writers, facts, facts_of_rows

HEAD = r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset204 Arial;}{\f2\fcharset128 MS Mincho;}}"


def escaped(text: str) -> str:
    """Return the text with UTF-16 units as signed numbers, each with a question mark for readers that do not know them."""
    units = text.encode("utf-16-le")
    numbers = [int.from_bytes(units[place : place + 2], "little", signed=True) for place in range(0, len(units), 2)]
    return "".join(chr(number) if 32 <= number < 127 and chr(number) not in "\\{}" else rf"\u{number}?" for number in numbers)


def in_code_page(text: str, encoding: str) -> str:
    return "".join(chr(byte) if byte < 128 else rf"\'{byte:02x}" for byte in text.encode(encoding))


def document() -> RealFile:
    paragraphs = "".join(rf"\pard {escaped(sentence)}\par" + "\r\n" for sentence in SENTENCES)
    cells = "".join(
        r"\trowd\cellx2000\cellx4000\cellx6000 " + "".join(rf"\pard\intbl {escaped(cell)}\cell " for cell in row) + r"\row "
        for row in ROWS
    )
    old = rf"\pard {{\f1 {in_code_page(RUSSIAN, 'cp1251')}}}\par\pard {{\f2 {in_code_page('灯台 log', 'cp932')}}}\par "
    note = r"\pard A note{\footnote {\chftn} below} stands.\par{\*\generator hidden}{\header hidden}"
    data = HEAD + paragraphs + cells + old + note + "}"
    found = (*facts(*SENTENCES), *facts_of_rows(labelled=False), *facts("灯台 log", "below"))
    return RealFile("log.rtf", data.encode("ascii"), found)


FILES: Writers = {"rtf": document}
