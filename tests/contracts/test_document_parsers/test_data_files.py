"""JSON, notebooks and XML: every value is found, beside what it is."""

import json

import pytest

from backend.adapters.document_parsers import json as json_parser
from backend.adapters.document_parsers import notebook, xml


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('{"a": {"b": 1.50, "c": [1, true, null]}, "d": "x"}', "a.b: 1.50\na.c: 1, true, null\nd: x"),
        ('{"users": [{"name": "Ann", "at": {"city": "Łódź"}}, {"name": "Bob"}]}',
         "users: name: Ann | at.city: Łódź\nusers: name: Bob"),
        ('[{"a": "x"}, {"a": "y"}]', "a: x\na: y"),
        ('["one", "two"]', "one\ntwo"),
        ('[[1, 2], [3, 4]]', "1, 2\n3, 4"),
        ('{"a": 1, "a": 2}', "a: 1\na: 2"),
        ('{"text": "one\\ntwo", "after": 1}', "text:\none\ntwo\nafter: 1"),
        ('[{"a": "one\\ntwo", "b": 1}, {"a": "x", "b": 2}]', "a:\none\ntwo\nb: 1\na: x | b: 2"),
        ('{"empty": [], "none": {}}', "empty\nnone"),
        ('"\\ud83d\\ude00 \\ud800"', "😀 "),
        ('{"a": 1}\n\n{"a": 2}\nnot json\n', "a: 1\na: 2\nnot json"),
        ('{"a": 1, // why\n}', '{"a": 1, // why\n}'),
        ('{"cut": ["off', '{"cut": ["off'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ],
)  # fmt: skip
def test_json_becomes_lines_that_say_what_each_value_is(data: str, text: str) -> None:
    assert json_parser.parse(data.encode()).text == text


def test_a_long_record_is_a_block() -> None:
    records = [{"name": "Ann", "life": "long " * 500}, {"name": "Bob", "life": "short"}]

    assert json_parser.parse(json.dumps(records).encode()).text == (
        "name: Ann\nlife: " + "long " * 500 + "\nname: Bob | life: short"
    )


def test_a_notebook_is_its_cells_with_what_they_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# One\n", "text\n", "## Two"]},
        {
            "cell_type": "code", "source": "1 / 0",
            "outputs": [
                {"output_type": "stream", "text": "before\n"},
                {"output_type": "display_data", "data": {"image/png": "AAAA"}},
                {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mE\x1b[0m: v"]},
            ],
        },
    ]  # fmt: skip
    parsed = notebook.parse(json.dumps({"cells": cells, "metadata": {"secret": "x"}}).encode())

    assert parsed.text == "# One\ntext\n## Two\n\n1 / 0\n\nbefore\n\nE: v"
    assert [(heading.level, heading.text, heading.start) for heading in parsed.headings] == [(1, "One", 0), (2, "Two", 11)]


def test_an_old_notebook_and_one_that_is_none_are_read_too() -> None:
    sheets = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}

    assert notebook.parse(json.dumps(sheets).encode()).text == "x = 1"
    assert notebook.parse(b'{"a": 1}').text == "a: 1"
    assert notebook.parse(b'{"cells": 5').text == '{"cells": 5'


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<lib><book id="1"><title>T</title><price>5</price></book><book id="2"><title>U</title></book></lib>',
         "book (id: 1)\ntitle: T\nprice: 5\n\nbook (id: 2)\ntitle: U"),
        ("<a><r><x>1</x></r><r><x>2</x></r></a>", "x: 1\n\nx: 2"),
        ("<d><p>some <b>bold</b>, <!-- no -->and\n  more</p></d>", "some bold, and more"),
        ("<d><user name='Ann' class='x'/><empty/></d>", "user (name: Ann)"),
        ("<d xmlns='urn:x' xmlns:y='urn:y'><y:t y:a='1'>&lt;&#233;&gt;</y:t></d>", "t (a: 1): <é>"),
        ("<d><![CDATA[a < b]]></d>", "d: a < b"),
        ("<d>cut <b>off &amp; gone", "cut\noff & gone"),
        ("<?xml version='1.0'?><d>two</d><d>roots</d>", "two\nroots"),
    ],
)  # fmt: skip
def test_xml_becomes_its_text(data: str, text: str) -> None:
    assert xml.parse(data.encode()).text == text


def test_the_declared_encoding_of_xml_is_used() -> None:
    written = "<?xml version='1.0' encoding='koi8-r'?><d><t>маяк</t></d>"

    assert xml.parse(written.encode("koi8-r")).text == "t: маяк"
    assert xml.parse(written.encode("utf-16")).text == "t: маяк"


def test_entities_of_an_xml_document_are_not_expanded() -> None:
    laughs = '<!ENTITY a "ha">' + "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 9 if n else "&a;"}">' for n in range(12))
    outside = '<!ENTITY f SYSTEM "file:///etc/hostname">'

    assert xml.parse(f"<!DOCTYPE d [{outside}]><d>a &f; b</d>".encode()).text == "d: a &f; b"
    assert len(xml.parse(f"<!DOCTYPE d [{laughs}]><d>a &b11; b</d>".encode()).text) < 100
