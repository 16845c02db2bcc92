"""What is uploaded: texts and PDFs of any size, of the words of this project's own documentation, as often as they are there."""

import re
from functools import cache
from pathlib import Path
from random import Random

from fpdf import FPDF

DOCS = Path(__file__).parent.parent.parent / "docs"
WORD = re.compile(r"[A-Za-z]{2,}|\ba\b")
LINES_OF_A_PAGE = 48
WORDS_OF_A_LINE = 11


@cache
def words() -> tuple[str, ...]:
    """Return the words of the documentation, in order."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))
    return tuple(word.lower() for text in texts for word in WORD.findall(text))


def text_of(size: int, seed: int) -> bytes:
    """Return a text of so many bytes, in sentences and paragraphs; each seed has another one."""
    random, known = Random(seed), words()  # noqa: S311 - it has to come out the same each time
    paragraphs: list[str] = []
    length = 0
    while length < size:
        sentences = (" ".join(random.choices(known, k=random.randint(8, 20))).capitalize() for _ in range(random.randint(3, 7)))
        paragraphs.append(f"Section {len(paragraphs) + 1}. " + ". ".join(sentences) + ".")
        length += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs).encode()[:size]


def pdf_of(pages: int) -> bytes:
    """Return a PDF of so many full pages of text."""
    random, known = Random(pages), words()  # noqa: S311 - it has to come out the same each time
    pdf = FPDF(format="A4")
    pdf.set_font("helvetica", size=10)
    for _ in range(pages):
        pdf.add_page()
        for line in range(LINES_OF_A_PAGE):
            said = " ".join(random.choices(known, k=WORDS_OF_A_LINE)).capitalize()
            pdf.text(15, 15 + line * 5.5, f"{said}.")
    return bytes(pdf.output())
