"""Office files, OpenDocument and books that are cut, locked, or something else."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.core.errors import DocumentTypeError, ParsingError
from tests.contracts.test_document_parsers.files import DOCX, a_docx, a_package, read
from tests.contracts.test_document_parsers.office_files import (
    EPUB,
    ODP,
    ODS,
    ODT,
    OLE,
    PPTX,
    XLS,
    XLSX,
    a_pptx,
    a_sheet,
    an_epub,
    an_ods,
    an_odt,
    an_xls,
    declared,
    with_parts,
)
from tests.contracts.test_document_parsers.test_opendocument import write_report
from tests.contracts.test_document_parsers.test_slides import write_deck
from tests.contracts.test_document_parsers.test_types import PARSER

ROWS = [[f"row {number}", "text 😀"] for number in range(3000)]


def write_letter(document: Any) -> None:
    document.add_heading("Letter", 1)
    document.add_paragraph("Dear 日本")


WHOLE: dict[str, tuple[str, bytes]] = {
    "a.docx": (DOCX, a_docx(write_letter)),
    "a.xlsx": (XLSX, a_sheet(ROWS)),
    "a.xls": (XLS, an_xls(ROWS)),
    "a.pptx": (PPTX, a_pptx(write_deck)),
    "a.ods": (ODS, an_ods(ROWS)),
    "a.odt": (ODT, an_odt(write_report)),
    "a.epub": (EPUB, an_epub(["<h1>One</h1><p>text</p>"] * 20)),
}


async def refusal_of(data: bytes, media_type: str) -> ParsingError:
    with pytest.raises(ParsingError) as refusal:
        await read(data, media_type)
    return refusal.value


@pytest.mark.parametrize("filename", WHOLE)
def test_the_names_and_the_bytes_agree(filename: str) -> None:
    media_type, data = WHOLE[filename]

    assert PARSER.media_type(filename, data[:8192]) == media_type


@pytest.mark.parametrize("filename", WHOLE)
async def test_a_file_that_is_cut_anywhere_is_never_read_as_if_it_were_whole(filename: str) -> None:
    media_type, data = WHOLE[filename]
    assert (await read(data, media_type)).text

    for share in (0.0, 0.1, 0.35, 0.6, 0.85, 0.97, 0.995):
        refusal = await refusal_of(data[: int(len(data) * share)], media_type)
        assert refusal.code == "document_unreadable", share
        assert "Upload it again" in refusal.message
    assert (await refusal_of(data[:-1], media_type)).code == "document_unreadable"


NAMES = {
    DOCX: "a Word document",
    XLSX: "a spreadsheet",
    PPTX: "a PowerPoint presentation",
    ODT: "an OpenDocument file",
    EPUB: "an EPUB book",
}


@pytest.mark.parametrize("media_type", NAMES)
async def test_something_else_under_the_name_is_unreadable(media_type: str) -> None:
    for data in (b"", b"<!doctype html><p>a page", a_package({"other.txt": b"x"}), a_package({})):
        refusal = await refusal_of(data, media_type)
        assert refusal.code == "document_unreadable"
        assert refusal.message.startswith(f"The file should be {NAMES[media_type]}, but it is damaged or incomplete.")


@pytest.mark.parametrize(
    ("filename", "media_type", "rename"),
    [("a.xlsx", DOCX, ".xlsx"), ("a.docx", PPTX, ".docx"), ("a.pptx", ODT, ".pptx")],
)
async def test_an_office_file_under_the_name_of_another_says_what_it_is(filename: str, media_type: str, rename: str) -> None:
    assert f"Rename it to {rename} and upload it again." in (await refusal_of(WHOLE[filename][1], media_type)).message


def an_ole(*streams: str) -> bytes:
    entries = b"".join(stream.encode("utf-16-le").ljust(128, b"\0") for stream in streams)
    return OLE.ljust(512, b"\0") + entries.ljust(4096, b"\0")


LOCKED = an_ole("Root Entry", "EncryptedPackage", "EncryptionInfo")


@pytest.mark.parametrize("filename", ["a.docx", "a.xlsx", "a.pptx", "a.xls"])
async def test_an_office_file_with_a_password_says_what_to_do(filename: str) -> None:
    media_type = PARSER.media_type(filename, LOCKED)

    refusal = await refusal_of(LOCKED, media_type)

    assert refusal.code == "document_encrypted"
    assert "remove the password" in refusal.message


@pytest.mark.parametrize(
    ("streams", "media_type", "advice"),
    [
        (("WordDocument",), DOCX, "Save it as .docx or PDF"),
        (("WordDocument",), XLS, "Save it as .docx or PDF"),
        (("PowerPoint Document",), PPTX, "Save it as .pptx or PDF"),
        (("Workbook",), DOCX, "Rename it to .xls"),
        (("Contents",), DOCX, "save it as .docx, .xlsx, .pptx or PDF"),
    ],
)
async def test_an_old_office_file_says_what_to_do(streams: tuple[str, ...], media_type: str, advice: str) -> None:
    refusal = await refusal_of(an_ole("Root Entry", *streams), media_type)

    assert refusal.code == "document_unreadable"
    assert advice in refusal.message


MANIFEST = b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:encryption-data/></m:manifest>'


@pytest.mark.parametrize("media_type", [ODT, ODS, ODP])
async def test_an_opendocument_file_with_a_password_says_so(media_type: str) -> None:
    data = declared(media_type, {"content.xml": b"\x8f\x01 noise", "META-INF/manifest.xml": MANIFEST})

    refusal = await refusal_of(data, media_type)

    assert (refusal.code, "password" in refusal.message) == ("document_encrypted", True)


@pytest.mark.parametrize("filename", ["a.docx", "a.xlsx", "a.pptx", "a.odt", "a.ods", "a.epub"])
async def test_an_archive_with_encrypted_entries_says_so(filename: str) -> None:
    media_type, data = WHOLE[filename]
    locked = bytearray(data)
    entry = locked.index(b"PK\x01\x02")
    locked[entry + 8] |= 1

    assert (await refusal_of(bytes(locked), media_type)).code == "document_encrypted"


@pytest.mark.parametrize(
    ("filename", "advice"),
    [
        ("letter.doc", "Save it as .docx or PDF"),
        ("talk.PPT", "Save it as .pptx or PDF"),
        ("sums.numbers", "Save it as .xlsx or PDF"),
    ],
)
def test_formats_that_nobody_reads_here_say_how_to_save_them(filename: str, advice: str) -> None:
    with pytest.raises(DocumentTypeError, match=advice):
        PARSER.media_type(filename, OLE)


@pytest.mark.parametrize(
    ("filename", "whole", "advice"),
    [
        ("a.docx", "a.xlsx", "rename it to .xlsx"),
        ("a.odt", "a.ods", "rename it to .ods"),
        ("a.epub", "a.odt", "rename it to .odt"),
        ("a.xls", "a.xlsx", "rename it to .xlsx"),
        ("a.pdf", "a.epub", "rename it to .epub"),
        ("a.txt", "a.xls", "save it as .docx, .xlsx, .pptx or PDF"),
    ],
)
def test_a_wrong_name_says_the_right_one(filename: str, whole: str, advice: str) -> None:
    # The part that tells is in the head of small workbooks only, as openpyxl writes them.
    head = a_package({"xl/workbook.xml": b"x"}) if whole == "a.xlsx" else WHOLE[whole][1]

    with pytest.raises(DocumentTypeError, match=advice):
        PARSER.media_type(filename, head[:8192])


@pytest.mark.parametrize("rename", [lambda name: name.replace("docx", "docm"), lambda name: name.replace("docx", "dotx")])
async def test_documents_with_macros_and_templates_are_read(rename: Callable[[str], str]) -> None:
    data = with_parts(
        a_docx(write_letter),
        {"[Content_Types].xml": lambda part: part.replace(b"wordprocessingml.document.main", b"wordprocessingml.template.main")},
    )

    parsed = await read(data, PARSER.media_type(rename("letter.docx"), data[:8192]))

    assert parsed.text == "Letter\n\nDear 日本"
    assert [heading.text for heading in parsed.headings] == ["Letter"]
