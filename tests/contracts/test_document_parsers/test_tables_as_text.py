"""CSV and TSV: each row can be understood alone, and nothing of it is lost."""

import pytest

from backend.adapters.document_parsers import delimited


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Name,Age\r\nAnn,7\r\nBob,\r\n", "Name | Age\nName: Ann | Age: 7\nName: Bob"),
        (b"Name;Age\nAnn;1,5\nBob;2,5\n", "Name | Age\nName: Ann | Age: 1,5\nName: Bob | Age: 2,5"),
        (b"Name\tSays\nAnn\thi, there\nBob\tno, no, no\n",
         "Name | Says\nName: Ann | Says: hi, there\nName: Bob | Says: no, no, no"),
        (b"sep=|\na|1\nb|2\n", "a | 1\nb | 2"),
        (b'a,b\n"x\r\ny","say ""no"", twice"\n', 'a | b\na: x y | b: say "no", twice'),
        (b"1,2\n3,4\n", "1 | 2\n3 | 4"),
        (b"Name,Name\nAnn,Bob\n", "Name | Name\nAnn | Bob"),
        (b"Name,Age\n", "Name | Age"),
        (b"a,b\n1,2,3\n4\n", "a | b\na: 1 | b: 2 | 3\na: 4"),
        (b"Name, Says\nAnn, \"a, b\"\n", "Name | Says\nName: Ann | Says: a, b"),
        (b"\n\na,b\n\n\n1,2\n,\n", "a | b\na: 1 | b: 2"),
        ("Größe;Straße\n1;Süd\n".encode("cp1252"), "Größe | Straße\nGröße: 1 | Straße: Süd"),
    ],
)  # fmt: skip
def test_a_row_is_a_line_that_can_be_understood_alone(data: bytes, text: str) -> None:
    assert delimited.parse(data).text == text


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_after_it() -> None:
    assert delimited.parse(b'size;note\n17";wide\n"open;1\nc;2\n').text == (
        'size | note\nsize: 17" | note: wide\nsize: "open | note: 1\nsize: c | note: 2'
    )


def test_text_that_is_no_table_stays_as_it_is() -> None:
    assert delimited.parse(b"One column\nanother, with a comma\nand more\n").text == "One column\nanother, with a comma\nand more"


def test_paragraphs_are_not_names_of_columns() -> None:
    assert delimited.parse(("a" * 300 + ",b\n1,2\n").encode()).text == "a" * 300 + " | b\n1 | 2"
