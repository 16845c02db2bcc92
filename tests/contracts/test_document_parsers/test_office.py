"""PDF and Word files."""

from io import BytesIO
from typing import Any

import pytest
from docx import Document

from backend.adapters.document_parsers import docx
from backend.core.errors import ParsingError
from tests.contracts.test_document_parsers.files import DOCX, PDF, WORD_NAMESPACE, a_body, a_docx, a_package, a_pdf, read
from tests.contracts.test_document_parsers.office_files import with_parts


async def refusal_of(data: bytes, media_type: str) -> ParsingError:
    with pytest.raises(ParsingError) as refusal:
        await read(data, media_type)
    return refusal.value


async def test_the_pages_of_a_pdf_cover_its_text_in_order() -> None:
    parsed = await read(a_pdf(["First page", "", "Third page\nwith two lines"]), PDF)

    assert [(p.number, parsed.text[p.start : p.end]) for p in parsed.pages] == [
        (1, "First page"),
        (2, ""),
        (3, "Third page\nwith two lines"),
    ]
    ends = [0, *(p.end for p in parsed.pages)]
    between = [parsed.text[end : page.start] for end, page in zip(ends, parsed.pages, strict=False)]
    assert between == ["", "\n\n", "\n\n"]
    assert parsed.pages[-1].end == len(parsed.text)


async def test_a_hyphen_at_the_end_of_a_line_stays() -> None:
    assert (await read(a_pdf(["An exam-\nple"]), PDF)).text == "An exam-\nple"


async def test_a_pdf_with_a_password_says_so_and_one_without_a_user_password_is_read() -> None:
    refusal = await refusal_of(a_pdf(["secret"], owner_password="o", user_password="u"), PDF)

    assert (refusal.code, refusal.message) == (
        "document_encrypted",
        "The PDF is protected by a password. Upload a copy without one.",
    )
    assert (await read(a_pdf(["printing is forbidden"], owner_password="o"), PDF)).text == "printing is forbidden"


async def test_a_pdf_of_drawings_has_no_text() -> None:
    refusal = await refusal_of(a_pdf(["", ""]), PDF)

    assert refusal.code == "document_without_text"
    assert "scanned images" in refusal.message


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
async def test_a_truncated_pdf_is_unreadable(share: float) -> None:
    whole = a_pdf([f"Page {number} " + "word " * 200 for number in range(10)])

    assert (await refusal_of(whole[: int(len(whole) * share)], PDF)).code == "document_unreadable"


async def test_garbage_named_pdf_is_unreadable() -> None:
    assert (await refusal_of(b"%PDF-1.7\n" + bytes(range(256)) * 50, PDF)).code == "document_unreadable"


def write_report(document: Any) -> None:
    document.add_heading("Report 😀", 0)
    document.add_heading("First", 1)
    paragraph = document.add_paragraph("Some ")
    paragraph.add_run("bold").bold = True
    paragraph.add_run("\ttext\nnew line")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Name", "Age"
    table.cell(1, 0).text, table.cell(1, 1).text = "Ann\nLee", "7"
    document.add_heading("Second", 2)
    document.add_paragraph("After the table")


async def test_a_word_document_is_read_in_order_with_tables_and_headings() -> None:
    parsed = await read(a_docx(write_report), DOCX)

    assert parsed.text == (
        "Report 😀\n\nFirst\n\nSome bold\ttext\nnew line\n\nName | Age\nAnn Lee | 7\n\nSecond\n\nAfter the table"
    )
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Report 😀"), (1, "First"), (2, "Second")]
    assert all(parsed.text[h.start :].startswith(h.text) for h in parsed.headings)


def test_content_controls_insertions_text_boxes_and_notes_are_read_and_deletions_are_not() -> None:
    body = a_body(
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
        "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
        '<w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>Styled</w:t></w:r></w:p>'
        '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Outlined</w:t></w:r></w:p>'
    )
    note = f'<w:footnotes xmlns:w="{WORD_NAMESPACE}"><w:footnote><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>'

    parsed = docx.parse(a_package({"word/document.xml": body, "word/footnotes.xml": note.encode()}))

    assert parsed.text == "control\n\ninserted\nbox\n\nStyled\n\nOutlined\n\nnote"
    assert [(h.level, h.text) for h in parsed.headings] == [(2, "Styled"), (1, "Outlined")]


def write_margins(document: Any) -> None:
    paragraph = document.add_paragraph("Reviewed text")
    document.add_comment(paragraph.runs, text="Is that so? 😀", author="Ann")
    document.sections[0].header.paragraphs[0].text = "Company מסמך"
    document.sections[0].footer.paragraphs[0].text = "7"
    other = document.add_section()
    other.header.is_linked_to_previous = False
    other.header.paragraphs[0].text = "Company מסמך"
    document.add_paragraph("The end")


async def test_comments_headers_and_footers_come_once_at_the_end_without_the_numbers_of_pages() -> None:
    assert (await read(a_docx(write_margins), DOCX)).text == (
        "Reviewed text\n\nThe end\n\nComment (Ann): Is that so? 😀\n\nCompany מסמך"
    )


async def test_what_python_docx_refuses_is_read_without_it_and_keeps_its_headings() -> None:
    def dangle(part: bytes) -> bytes:
        return part.replace(b"</Relationships>", b'<Relationship Id="x" Type="t" Target="../NULL"/></Relationships>')

    data = with_parts(a_docx(write_report), {"word/_rels/document.xml.rels": dangle})

    with pytest.raises(KeyError):
        Document(BytesIO(data))
    parsed = await read(data, DOCX)
    assert parsed.text.endswith("Second\n\nAfter the table")
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Report 😀"), (1, "First"), (2, "Second")]


@pytest.mark.parametrize(
    "parts",
    [
        {"word/document.xml": a_body("<w:p><w:r><w:t>" + "0" * 60_000_000 + "</w:t></w:r></w:p>")},
        {f"word/{number}.xml": b"" for number in range(10_001)},
    ],
    ids=["one part that unpacks to 60 MB", "ten thousand parts"],
)
async def test_a_zip_bomb_is_refused_before_it_is_unpacked(parts: dict[str, bytes]) -> None:
    assert (await refusal_of(a_package(parts), DOCX)).code == "document_too_complex"


async def test_damaged_word_documents_are_unreadable() -> None:
    whole = a_docx(write_report)

    for data in (b"", whole[:-200], a_package({"word/other.xml": b"x"}), a_package({"word/document.xml": b"<a><b></a>"})):
        assert (await refusal_of(data, DOCX)).code == "document_unreadable"


async def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    body = a_body("<w:p><w:r><w:t>seen &b; &c;</w:t></w:r></w:p>")

    assert "aaa" not in (parsed := await read(a_package({"word/document.xml": bomb + body}), DOCX)).text
    assert "root" not in parsed.text
