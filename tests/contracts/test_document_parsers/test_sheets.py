"""Spreadsheets: what a row says, and what a cell shows."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from backend.adapters.document_parsers.sheet_rows import lines_of_sheet
from backend.core.errors import ParsingError
from tests.contracts.test_document_parsers.files import read
from tests.contracts.test_document_parsers.office_files import ODS, XLS, XLSX, a_sheet, an_ods, an_xls, an_xlsx, with_parts

PEOPLE = [["Name", "Born", "City 😀"], ["Ann\r\nLee", "1950", "東京"], ["", "", ""], ["דוד", "1960", ""]]
PEOPLE_READ = "Name | Born | City 😀\nName: Ann Lee | Born: 1950 | City 😀: 東京\nName: דוד | Born: 1960"


@pytest.mark.parametrize(
    ("data", "media_type"), [(a_sheet(PEOPLE), XLSX), (an_xls(PEOPLE), XLS), (an_ods(PEOPLE), ODS)], ids=["xlsx", "xls", "ods"]
)
async def test_a_row_is_read_with_its_header(data: bytes, media_type: str) -> None:
    parsed = await read(data, media_type)

    assert parsed.text == "Sheet\n" + PEOPLE_READ
    assert [(p.number, p.start, p.end) for p in parsed.pages] == [(1, 0, len(parsed.text))]
    assert [(h.start, h.level, h.text) for h in parsed.headings] == [(0, 1, "Sheet")]


async def test_cells_are_written_as_a_person_would() -> None:
    row = [
        1234.5, 3.0, 0.1 + 0.2, 1e20, 0.00001, -7, True, False, date(2024, 2, 29), datetime(2024, 2, 29, 13, 5), time(7, 30),  # noqa: DTZ001
        timedelta(hours=30, minutes=1), "'=text", "#N/A",
    ]  # fmt: skip

    assert (await read(a_sheet([row]), XLSX)).text == (
        "Sheet\n1234.5 | 3 | 0.3 | 100000000000000000000 | 0.00001 | -7 | TRUE | FALSE | 2024-02-29 | 2024-02-29 13:05:00"
        " | 07:30:00 | 30:01:00 | '=text"
    )
    assert (await read(an_xls([[3.0, 1234.5, date(1999, 12, 31)]]), XLS)).text == "Sheet\n3 | 1234.5 | 1999-12-31"


async def test_dates_that_are_counted_from_1904_are_the_same_dates() -> None:
    def write(workbook: Any) -> None:
        workbook.epoch = CALENDAR_MAC_1904
        workbook.active.append([date(2024, 2, 29), "day"])

    assert (await read(an_xlsx(write), XLSX)).text == "Sheet\n2024-02-29 | day"


def write_sheets(workbook: Any) -> None:
    first = workbook.active
    first.title = "Numbers & <more>"
    first["C3"], first["D3"] = "far", "away"
    workbook.create_sheet("Nothing")
    workbook.create_chartsheet("Chart")
    hidden = workbook.create_sheet("Behind")
    hidden.sheet_state = "hidden"
    hidden.append(["can be shown"])
    secret = workbook.create_sheet("Macros only")
    secret.sheet_state = "veryHidden"
    secret.append(["cannot be shown"])
    merged = workbook.create_sheet("Merged")
    merged["A1"] = "over three"
    merged.merge_cells("A1:C2")


async def test_every_sheet_is_a_page_with_its_name_also_a_hidden_one() -> None:
    parsed = await read(an_xlsx(write_sheets), XLSX)

    assert [(page.number, parsed.text[page.start : page.end]) for page in parsed.pages] == [
        (1, "Numbers & <more>\nfar | away"),
        (2, "Nothing"),
        (3, ""),
        (4, "Behind\ncan be shown"),
        (5, ""),
        (6, "Merged\nover three"),
    ]
    assert [heading.text for heading in parsed.headings] == ["Numbers & <more>", "Nothing", "Behind", "Merged"]


async def test_a_formula_shows_its_value_or_itself_where_it_was_never_calculated() -> None:
    data = a_sheet([["Item", "Total"], ["all", '=IF(A1<"b",SUM(B3:B4),0)'], ["some", "=1+1"]])
    calculated = with_parts(
        data, {"xl/worksheets/sheet1.xml": lambda part: re.sub(rb"(<f>1\+1</f>)<v ?(/>|></v>)", rb"\1<v>2</v>", part)}
    )

    assert (await read(data, XLSX)).text.endswith('Item: all | Total: =IF(A1<"b",SUM(B3:B4),0)\nItem: some | Total: =1+1')
    assert (await read(calculated, XLSX)).text.endswith("Item: some | Total: 2")


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([["Sales of 2024", "", ""], ["City", "2023", "2024"], ["Rome", "1", "2"]],
         ["Sales of 2024", "City | 2023 | 2024", "City: Rome | 2023: 1 | 2024: 2"]),
        ([["Name:", "Ann"], ["Age:", "7"]], ["Name: | Ann", "Age: | 7"]),
        ([["1", "2"], ["3", "4"]], ["1 | 2", "3 | 4"]),
        ([["", "Mon", "Tue"], ["Morning", "tea", "milk"]], ["Mon | Tue", "Morning | Mon: tea | Tue: milk"]),
        ([["Report", "Sales"], ["City", "Price", "Sum", "Tax"], ["Rome", "1", "2", "3"]],
         ["Report | Sales", "City | Price | Sum | Tax", "Rome | 1 | 2 | 3"]),
        ([["Item", "Price"], ["tea", "1"], ["", ""], ["milk", "2"]],
         ["Item | Price", "Item: tea | Price: 1", "Item: milk | Price: 2"]),
        ([["Item", "Price"], ["tea", "1"], ["", ""], ["Costs", ""], ["Place", "Rent"], ["Rome", "5"]],
         ["Item | Price", "Item: tea | Price: 1", "Costs", "Place | Rent", "Place: Rome | Rent: 5"]),
        ([["same", "same"], ["a", "b"]], ["same | same", "a | b"]),
        ([["only", "one row"]], ["only | one row"]),
    ],
)  # fmt: skip
def test_a_sheet_is_more_than_a_table(rows: list[list[str]], lines: list[str]) -> None:
    assert list(lines_of_sheet(rows)) == lines


@pytest.mark.parametrize("place", ["XFD1048576", "A1048576", "XFD3", "ZZ500000"])
async def test_a_sheet_that_claims_to_be_huge_ends_at_once(place: str) -> None:
    def write(workbook: Any) -> None:
        workbook.active["A1"], workbook.active[place] = "here", "there"

    data = an_xlsx(write)
    if place in ("A1048576", "XFD3"):
        assert (await read(data, XLSX)).text == "Sheet\nhere\nthere"
        return
    with pytest.raises(ParsingError) as refusal:
        await read(data, XLSX)
    assert refusal.value.code == "document_too_complex"


async def test_cells_that_only_have_a_style_make_no_sheet_huge() -> None:
    def write(workbook: Any) -> None:
        workbook.active["A1"] = "here"
        workbook.active["XFD1048576"].number_format = "0.00"

    assert (await read(an_xlsx(write), XLSX)).text == "Sheet\nhere"


async def test_the_size_that_a_sheet_says_it_has_is_not_believed() -> None:
    def lie(part: bytes) -> bytes:
        return part.replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')

    data = with_parts(a_sheet([["a", "b"], ["1", "2"]]), {"xl/worksheets/sheet1.xml": lie})

    assert (await read(data, XLSX)).text == "Sheet\na | b\na: 1 | b: 2"
