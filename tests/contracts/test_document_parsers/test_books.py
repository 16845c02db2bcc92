"""Books: the chapters in the order in which they are read."""

import pytest

from backend.core.errors import ParsingError
from tests.contracts.test_document_parsers.files import read
from tests.contracts.test_document_parsers.office_files import EPUB, an_epub, with_parts

CHAPTERS = (
    "<h1>One 😀</h1><p>It began\r\nwith שלום.</p>",
    "<img src='picture.png'/>",
    "<h1>Two</h1><h2>日本語</h2><table><tr><td>a</td><td>b</td></tr></table>",
)


async def test_chapters_are_pages_in_the_order_of_the_spine() -> None:
    parsed = await read(an_epub(CHAPTERS), EPUB)

    assert [(page.number, parsed.text[page.start : page.end]) for page in parsed.pages] == [
        (1, "One 😀\n\nIt began with שלום."),
        (2, ""),
        (3, "Two\n\n日本語\n\na | b"),
    ]
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "One 😀"), (1, "Two"), (2, "日本語")]
    assert all(parsed.text[h.start :].startswith(h.text) for h in parsed.headings)


def protection(algorithm: str) -> bytes:
    return f'<encryption><EncryptedData><EncryptionMethod Algorithm="{algorithm}"/></EncryptedData></encryption>'.encode()


async def test_a_book_that_is_protected_against_copying_says_so_and_hidden_fonts_are_no_matter() -> None:
    fonts = an_epub(CHAPTERS, encryption=protection("http://www.idpf.org/2008/embedding"))
    text = an_epub(CHAPTERS, encryption=protection("http://www.w3.org/2001/04/xmlenc#aes256-cbc"))

    assert "One" in (await read(fonts, EPUB)).text
    with pytest.raises(ParsingError, match="DRM") as refusal:
        await read(text, EPUB)
    assert refusal.value.code == "document_encrypted"


@pytest.mark.parametrize("wanted", [b"chapter%209.xhtml", b"../../../etc/passwd"])
async def test_a_book_without_one_of_its_chapters_is_not_read_as_if_it_were_whole(wanted: bytes) -> None:
    def lose(listing: bytes) -> bytes:
        return listing.replace(b"chapter%201.xhtml", wanted)

    with pytest.raises(ParsingError) as refusal:
        await read(with_parts(an_epub(CHAPTERS), {"OEBPS/content.opf": lose}), EPUB)

    assert refusal.value.code == "document_unreadable"


async def test_a_picture_in_the_spine_is_replaced_by_the_page_that_stands_for_it() -> None:
    def point(listing: bytes) -> bytes:
        picture = (
            b'<item id="p" href="p.png" media-type="image/png" fallback="c0"/><item id="q" href="q.png" media-type="image/png"/>'
        )
        return listing.replace(b"<manifest>", b"<manifest>" + picture).replace(b'idref="c0"/>', b'idref="p"/><itemref idref="q"/>')

    parsed = await read(with_parts(an_epub(CHAPTERS[:1]), {"OEBPS/content.opf": point}), EPUB)

    assert parsed.text == "One 😀\n\nIt began with שלום."
    assert len(parsed.pages) == 1
