"""Scanned PDFs: read by tesseract where it is installed, else refused with what to do."""

import shutil
from pathlib import Path

import pytest

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.core.errors import ParsingError
from backend.ports.document_parser import ParsedDocument
from tests.documents.writers.scans import PAGES, scanned
from tests.support.files import in_pieces

LISTING = 'if [ "$1" = --list-langs ]; then printf "List of available languages (3):\\ndeu\\neng\\nosd\\n"; exit 0; fi\n'
TYPED = "This page was typed"


async def read(data: bytes, *, seconds: float = 60) -> ParsedDocument:
    return await SandboxedDocumentParser(timeout_seconds=seconds).parse(in_pieces(data), "application/pdf")


async def refusal_of(data: bytes, *, seconds: float = 60) -> ParsingError:
    with pytest.raises(ParsingError) as refusal:
        await read(data, seconds=seconds)
    return refusal.value


def pages_of(parsed: ParsedDocument) -> list[str]:
    return [parsed.text[page.start : page.end] for page in parsed.pages]


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place in which programs are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, script: str) -> None:
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{LISTING}{script}\n")
    program.chmod(0o755)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed (Debian: apt-get install tesseract-ocr)")
async def test_tesseract_reads_scanned_pages_where_they_are() -> None:
    assert pages_of(await read(scanned(typed=[TYPED]).data)) == [*PAGES, TYPED]


@pytest.mark.usefixtures("bin_folder")
async def test_without_tesseract_a_scan_is_refused_with_what_to_do() -> None:
    refusal = await refusal_of(scanned().data)

    assert refusal.code == "document_without_text"
    assert refusal.message.startswith("This PDF has no text")
    assert "upload the result" in refusal.message
    assert "install tesseract" in refusal.message


@pytest.mark.usefixtures("bin_folder")
async def test_without_tesseract_typed_pages_are_read_all_the_same() -> None:
    parsed = await read(scanned(typed=[TYPED]).data)

    assert pages_of(parsed) == ["", "", TYPED]
    assert parsed.notes == ("Pages 1, 2 show pictures in which no text could be read.",)


async def test_a_picture_goes_to_tesseract_in_all_languages_that_it_has_english_first(bin_folder: Path) -> None:
    install(bin_folder, 'read -r kind width height depth; echo "$kind $width $height $*"; echo "second line"; printf "\\f"')

    expected = "P5 2480 3509 stdin stdout -l eng+deu --psm 1 --dpi 300\nsecond line"
    assert pages_of(await read(scanned(typed=[TYPED]).data)) == [expected, expected, TYPED]


async def test_pictures_without_words_are_a_document_without_text(bin_folder: Path) -> None:
    install(bin_folder, "exit 0")

    refusal = await refusal_of(scanned().data)

    assert refusal.code == "document_without_text"
    assert "found no words" in refusal.message


async def test_an_empty_page_is_not_given_to_tesseract(bin_folder: Path) -> None:
    install(bin_folder, "echo words")

    parsed = await read(scanned([PAGES[0]], typed=["", TYPED]).data)

    assert pages_of(parsed) == ["words", "", TYPED]
    assert parsed.notes == (), "an empty page is nothing that was not read"


async def test_a_scan_is_read_whole_or_refused(bin_folder: Path) -> None:
    install(bin_folder, "exit 1")

    refusal = await refusal_of(scanned(typed=[TYPED]).data)

    assert refusal.code == "document_unreadable"
    assert refusal.message.startswith("Page 1 of the PDF is a picture")


async def test_a_picture_among_typed_pages_does_not_cost_the_document(bin_folder: Path) -> None:
    install(bin_folder, "exit 1")

    parsed = await read(scanned([PAGES[0]], typed=[TYPED, TYPED]).data)

    assert pages_of(parsed) == ["", TYPED, TYPED]
    assert parsed.notes == ("Page 1 shows a picture in which no text could be read.",)


async def test_a_scan_that_takes_too_long_says_how_far_it_got(bin_folder: Path) -> None:
    install(bin_folder, "exec /bin/sleep 30")

    refusal = await refusal_of(scanned().data, seconds=8)

    assert refusal.code == "parser_timeout"
    assert "page 1 of 2" in refusal.message
    assert refusal.message.endswith("or upload a version with text.")


async def test_a_tesseract_without_languages_is_none(bin_folder: Path) -> None:
    (bin_folder / "tesseract").write_text("#!/bin/sh\necho 'List of available languages (0):'\n")
    (bin_folder / "tesseract").chmod(0o755)

    assert (await refusal_of(scanned().data)).code == "document_without_text"
