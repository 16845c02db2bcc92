"""Files with a word in them that stands nowhere else."""

import random
from io import BytesIO

from docx import Document as WordDocument

from tests.support.files import long_text

LETTERS = "bcdfgklmnprtvz"
KINDS = ("md", "txt", "html", "docx")


def a_marked_file(chance: random.Random) -> tuple[str, str, bytes]:
    """Return a word, a filename and the bytes of a file that has the word in one sentence."""
    marker = "x" + "".join(chance.choice(LETTERS) + chance.choice("aeiou") for _ in range(6))
    kind = chance.choice(KINDS)
    size = chance.randint(1, 30)
    before, after = long_text(size, "item").decode(), long_text(chance.randint(1, 4), "thing").decode()
    text = f"{before}\n\nThe object {marker} weighs {size} grams.\n\n{after}"
    return marker, f"{marker}.{kind}", _as(kind, text)


def _as(kind: str, text: str) -> bytes:
    if kind == "html":
        return "".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n\n")).encode()
    if kind != "docx":
        return text.encode()
    document, file = WordDocument(), BytesIO()
    for paragraph in text.split("\n\n"):
        document.add_paragraph(paragraph)
    document.save(file)
    return file.getvalue()
