"""Plain text, Markdown and HTML: what is read, and where its headings are."""

import pytest

from backend.adapters.document_parsers import html, markdown, text
from backend.core.errors import ParsingError
from tests.contracts.test_document_parsers.files import HTML, MARKDOWN, TEXT, read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
async def test_every_unicode_encoding_gives_the_same_text(encoding: str) -> None:
    written = "naïve 日本語 😀 family 👨‍👩‍👧\n"
    mark = "\ufeff" if encoding == "utf-16-be" else ""

    assert (await read((mark + written).encode(encoding), TEXT)).text == written


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("latin-1", "café"),
        ("latin-1", "Le café était fermé à Noël, où êtes-vous ?"),
        ("latin-1", "El niño comió piñas mañana"),
        ("cp1252", "It’s “quoted” — and costs 5 € only"),
        ("cp1250", "Zażółć gęślą jaźń, proszę państwa, dziękuję"),
        ("cp1251", "Привет, мир. Это русский текст, который мы читаем."),
        ("koi8-r", "Привет, мир. Это русский текст, который мы читаем.\n" * 5),
        ("shift_jis", "これは日本語の文章です。文字コードを調べます。"),
        ("gbk", "这是一个中文文档，用于测试编码。"),
    ],
)
def test_legacy_encodings_are_recognised(encoding: str, written: str) -> None:
    assert text.parse((written + "\n").encode(encoding)).text == written + "\n"


async def test_line_ends_become_lf_and_nul_and_lone_surrogates_go_and_nothing_else() -> None:
    data = "a\r\nb\rc\0d\x0ce\u2028 \t\n\n\n".encode() + b"f"

    assert (await read(data, TEXT)).text == "a\nb\ncd\x0ce\u2028 \t\n\n\nf"
    assert (await read(b"\xff\xfea\0\x00\xd8b\0", TEXT)).text == "ab"


async def test_a_byte_order_mark_that_lies_is_told() -> None:
    with pytest.raises(ParsingError, match="UTF-16") as refusal:
        await read(b"\xff\xfea\0b", TEXT)

    assert refusal.value.code == "document_unreadable"


@pytest.mark.parametrize(("data", "media_type"), [(b"", TEXT), (b" \r\n\t", MARKDOWN), (b"<script>x()</script><p> </p>", HTML)])
async def test_a_document_without_text_is_refused(data: bytes, media_type: str) -> None:
    with pytest.raises(ParsingError) as refusal:
        await read(data, media_type)

    assert refusal.value.code == "document_without_text"


MARKDOWN_FILE = """---
title: Not a heading
---
# Überblick 😀 ##
Text of
two lines
---
```sh
# a comment in code
```
Setext one
===
  ## Indented *two*
Setext two
---
    # indented code
~~~
## fenced
```
~~~
- item
---
#no-heading
###
#### Last\r
"""


async def test_markdown_stays_as_it_is_and_its_headings_are_found() -> None:
    parsed = await read(MARKDOWN_FILE.encode(), MARKDOWN)

    assert parsed.text == MARKDOWN_FILE.replace("\r\n", "\n")
    assert [(h.level, h.text) for h in parsed.headings] == [
        (1, "Überblick 😀"),
        (1, "Setext one"),
        (2, "Indented *two*"),
        (2, "Setext two"),
        (4, "Last"),
    ]
    for heading in parsed.headings:
        assert heading.start == 0 or parsed.text[heading.start - 1] == "\n"
        assert parsed.text[heading.start :].lstrip(" #").startswith(heading.text)


def test_a_rule_at_the_top_of_markdown_hides_no_heading() -> None:
    assert [h.text for h in markdown.parse(b"---\n# One\n---\n").headings] == ["One"]


def test_a_line_of_a_novel_is_not_a_heading() -> None:
    assert markdown.parse(b"# " + b"word " * 200).headings == ()


HTML_FILE = """<!doctype html><html><head><title>Tab</title><meta charset="utf-8"><style>p{}</style></head><body>
<nav><a href="/">Home</a></nav>
<h1>Main
 <em>title</em></h1><p>One &amp; two<br>three&nbsp;four</p><script>alert(1)</script><noscript>no</noscript>
<template><p>tpl</p></template><p hidden>secret</p><p style="display: none">secret</p><!-- note -->
<table><tr><th>Name<th>Age</tr><tr><td><p>Ann</p></td><td>7</td></tr></table>
<h2>😀 Second<br>line</h2><ul><li>a<li>b</ul><pre>
x  = 1
  y</pre></body></html>"""


async def test_html_becomes_the_lines_that_a_reader_sees() -> None:
    parsed = await read(HTML_FILE.encode(), HTML)

    assert parsed.text == (
        "Home\n\nMain title\n\nOne & two\nthree\xa0four\n\nName | Age\nAnn | 7\n\n😀 Second line\n\na\nb\n\nx  = 1\n  y"
    )
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Main title"), (2, "😀 Second line")]
    assert all(parsed.text[h.start :].startswith(h.text) for h in parsed.headings)


def test_a_table_that_lays_out_a_page_keeps_its_lines() -> None:
    parsed = html.parse(b"<table><tr><td>menu<td><h1>Title</h1><p>one</p><table><tr><td>a<td>b</table></table>after")

    assert parsed.text == "menu\n\nTitle\n\none\n\na | b\n\nafter"


@pytest.mark.parametrize(
    ("data", "read_as"),
    [
        ('<meta charset="koi8-r"><p>Привет'.encode("koi8-r"), "Привет"),
        ('<meta http-equiv=x content="text/html; charset=iso-8859-1"><p>5 €'.encode("cp1252"), "5 €"),
        ('<meta charset="iso-2022-jp"><p>日本'.encode("iso-2022-jp"), "日本"),
        ('<meta charset="latin-1"><p>größer'.encode(), "größer"),
        ('<meta charset="hex"><p>größer'.encode("latin-1"), "größer"),
        ('<meta charset="utf-16"><p>größer'.encode(), "größer"),
        (b'<?xml version="1.0"?><html><head><script src="x"/></head><body><p>kept</p></body></html>', "kept"),
        (b"<p>a&#0;b&#xD800;c&#13;d", "a\ufffdb\ufffdc d"),
    ],
)
def test_html_is_decoded_as_browsers_do(data: bytes, read_as: str) -> None:
    assert html.parse(data).text == read_as
