"""What all hostile files have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from fpdf import FPDF

SECRET = "root:x:0:0"
"""What a file would show that it should never have been able to read."""

HIDDEN = "NOBODY-SEES-THIS"
"""What a file contains where no reader of it would see it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A file under a name; ``forge`` writes its bytes, given the address of a server that must never be asked."""

    name: str
    filename: str
    forge: Callable[[str], bytes]


def lazily(write: Callable[[], bytes]) -> Callable[[str], bytes]:
    return lambda _: write()


def packed(parts: dict[str, bytes], *infos: tuple[ZipInfo, bytes]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
        for info, content in infos:
            package.writestr(info, content)
    return file.getvalue()


def rendered(pages: int = 1) -> bytes:
    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    for number in range(pages):
        pdf.add_page()
        pdf.cell(text=f"Page {number} of an honest document")
    return bytes(pdf.output())
