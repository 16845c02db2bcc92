"""The example document is a real PDF, and what it says can be asked about."""

import runpy
from pathlib import Path

import pytest

from backend.adapters.document_parsers import pdf

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE = (EXAMPLES / "handbook.md").read_text(encoding="utf-8")
COMMITTED = (EXAMPLES / "handbook.pdf").read_bytes()


@pytest.fixture(scope="module")
def rendered() -> bytes:
    return bytes(runpy.run_path(str(EXAMPLES / "render.py"))["render"](SOURCE))


def test_rendering_it_again_gives_the_same_bytes(rendered: bytes) -> None:
    assert runpy.run_path(str(EXAMPLES / "render.py"))["render"](SOURCE) == rendered


def test_the_committed_file_was_rendered_from_the_source(rendered: bytes) -> None:
    # Its text and not its bytes: those depend on the versions of fpdf2 and zlib.
    assert pdf.parse(COMMITTED) == pdf.parse(rendered)


def test_every_chapter_has_a_page_of_its_own() -> None:
    document = pdf.parse(COMMITTED)
    chapters = [line.removeprefix("## ") for line in SOURCE.splitlines() if line.startswith("## ")]

    assert len(document.pages) == len(chapters) == 6
    for chapter, page in zip(chapters, document.pages, strict=True):
        assert chapter in document.text[page.start : page.end]


def test_no_word_of_the_source_is_lost() -> None:
    prose = [line for line in SOURCE.splitlines() if line[:1] not in ("#", "|", "")]

    kept = set(pdf.parse(COMMITTED).text.split())

    assert [word for line in prose for word in line.split() if word not in kept] == []
