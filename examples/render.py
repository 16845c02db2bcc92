"""Render ``handbook.md`` to ``handbook.pdf``: the same bytes each time, so that Git sees a change only where there is one.

It reads the part of Markdown that the handbook uses: headings, paragraphs, lists and tables. Every chapter begins on a new page.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from fpdf import FPDF

SOURCE = Path(__file__).with_name("handbook.md")
TARGET = Path(__file__).with_name("handbook.pdf")
EDITION = datetime(2026, 3, 1, tzinfo=UTC)
INK, ACCENT = (28, 32, 44), (36, 66, 122)
SIZES = {"# ": 18, "## ": 16, "### ": 12}


class Handbook(FPDF):
    """A4 pages with a number at the foot."""

    def footer(self) -> None:
        """Print the page number; called for every page."""
        self.set_y(-15)
        self.set_font("helvetica", size=8)
        self.cell(0, 6, f"Lindenhof Observatory, page {self.page_no()}", align="C")


def render(markdown: str) -> bytes:
    """Return the PDF of a handbook."""
    pdf = Handbook(format="A4")
    pdf.set_creation_date(EDITION)
    pdf.set_producer("fpdf2")
    pdf.set_title("Lindenhof Observatory: visitor and staff handbook")
    pdf.set_lang("en")
    pdf.set_margins(22, 20)
    pdf.set_auto_page_break(auto=True, margin=20)
    pdf.add_page()
    chapters = 0
    for kind, lines in _blocks(markdown):
        if kind == "heading":
            chapters += lines[0].startswith("## ")
            if lines[0].startswith("## ") and chapters > 1:
                pdf.add_page()
            _heading(pdf, lines[0])
        elif kind == "table":
            _table(pdf, lines)
        else:
            for text in lines if kind == "list" else [" ".join(lines)]:
                _paragraph(pdf, text)
    return bytes(pdf.output())


def _blocks(markdown: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what stands together: a heading, a paragraph, a list or a table."""
    for kind, lines in groupby(markdown.splitlines(), key=_kind):
        if kind == "heading":
            yield from ((kind, [line]) for line in lines)
        elif kind != "blank":
            yield kind, list(lines)


def _kind(line: str) -> str:
    kinds = {"#": "heading", "|": "table", "-": "list", "": "blank"}
    return kinds.get(line[:1], "paragraph")


def _heading(pdf: FPDF, line: str) -> None:
    marks, _, text = line.partition(" ")
    pdf.ln(2)
    pdf.set_font("helvetica", "B", SIZES[f"{marks} "])
    pdf.set_text_color(*ACCENT)
    pdf.multi_cell(0, 8, text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def _paragraph(pdf: FPDF, text: str) -> None:
    pdf.set_font("helvetica", size=10)
    pdf.set_text_color(*INK)
    pdf.multi_cell(0, 5.2, text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)


def _table(pdf: FPDF, lines: list[str]) -> None:
    pdf.set_font("helvetica", size=9)
    pdf.set_text_color(*INK)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|-")]
    widths = tuple(max(map(len, column)) + 4 for column in zip(*rows, strict=True))
    with pdf.table(rows, line_height=5.6, padding=1, col_widths=widths):
        pass
    pdf.ln(3)


if __name__ == "__main__":
    TARGET.write_bytes(render(SOURCE.read_text(encoding="utf-8")))
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")
