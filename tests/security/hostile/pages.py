"""HTML that nests, hides or fetches; Markdown and text without measure; files that are two things at once."""

import codecs
from collections.abc import Callable, Iterator

from tests.security.hostile.attack import HIDDEN, Attack, lazily, packed, rendered

_HIDING = (
    "<script>{}</script>", "<style>{}</style>", "<template>{}</template>", "<p hidden>{}</p>", "<p style='display:none'>{}</p>",
    "<!-- {} -->", "<noscript>{}</noscript>", "<iframe srcdoc='{}'></iframe>", "<title>{}</title>", "<img alt='' title='{}'>",
    "<object>{}</object>", "<div style='visibility: hidden'><b>{}</b></div>", "<p STYLE='Display :NONE'>{}</p>",
)  # fmt: skip


def _html(markup: str) -> bytes:
    return f"<!doctype html><html><body>{markup}<p>seen</p>".encode()


def _fetching(address: str) -> bytes:
    names = ("img", "script", "link rel=stylesheet", "iframe", "object", "embed", "video", "base", "image", "input type=image")
    tags = "".join(f"<{name} src='{address}' href='{address}' data='{address}'>" for name in names)
    return _html(f"<meta http-equiv=refresh content='0; url={address}'>{tags}")


def _pages() -> dict[str, Callable[[], bytes]]:
    return {
        "100,000 nested elements": lambda: _html("<div>" * 100_000),
        "30,000 nested tables": lambda: _html("<table><tr><td>" * 30_000),
        "30,000 unclosed formats": lambda: _html("<b><i><a>" * 10_000 + "<p>" * 1000),
        "attributes without end": lambda: _html("<p " + " ".join(f"a{n}=x" for n in range(30_000)) + ">"),
        "one attribute of 20 MB": lambda: _html(f"<p title='{'x' * 20_000_000}'>"),
        "a style of blanks": lambda: _html(f"<p style='display{' ' * 2_000_000}'>"),
        "a million comments": lambda: _html("<!---->" * 500_000),
        "nothing but comments": lambda: b"<!---->" * 1000 + b"seen",
        "comments before everything": lambda: b"<!---->" * 1000 + _html(""),
        "empty elements of XHTML": lambda: b"<?xml version='1.0'?><html>" + b"<script " * 200_000 + b"<p>seen",
        "declarations without end": lambda: b"<meta " * 600 + _html(""),
        "what is hidden": lambda: _html("".join(hiding.replace("{}", HIDDEN) for hiding in _HIDING)),
        "NULs": lambda: _html("\0se\0en\0<scr\0ipt>x</scr\0ipt>"),
        "UTF-7": lambda: b"<html><meta charset=utf-7>+ADw-script+AD4-" + b"<p>seen",
        "two encodings": lambda: "<meta charset=utf-16><meta charset=koi8-r><p>größer".encode() + b"\xff\xfe\x80",
        "entities": lambda: _html("&#x110000;&#xD800;&#0;" * 100_000 + "&" + "a" * 1_000_000 + ";"),
    }


def _texts() -> dict[str, Callable[[], bytes]]:
    return {
        "text: 50 MB in one line": lambda: b"a" * 50_000_000,
        "text: 20 MB of blanks": lambda: b" " * 20_000_000 + b"x",
        "text: 20 MB of NULs": lambda: b"\0" * 20_000_000 + b"x",
        "text: invalid UTF-8": lambda: b"\xff\xfe\xfd\x80\xc0\xaf\xed\xa0\x80" * 100_000,
        "text: overlong UTF-8": lambda: b"\xc0\xbc\xe0\x80\xbc\xf0\x80\x80\xbc" * 50_000,
        "text: lone surrogates": lambda: codecs.BOM_UTF16_LE + b"\x00\xd8a\x00\x00\xdc" * 200_000,
        "text: UTF-32 beyond Unicode": lambda: codecs.BOM_UTF32_LE + b"\xff\xff\xff\x7f" * 1000,
        "text: two marks": lambda: codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + b"a\0b\0",
        "text: a mark alone": lambda: codecs.BOM_UTF16_BE,
        "text: half a character": lambda: codecs.BOM_UTF16_LE + b"a",
        "text: control characters": lambda: bytes(range(1, 32)) * 30_000 + b"x" * 9_000_000,
        "text: marks of direction": lambda: "\u202e\u2066\u200b\ufeff".encode() * 500_000 + b"x",
        "text: combining marks": lambda: b"e" + "\u0301".encode() * 1_000_000,
        "text: every legacy byte": lambda: bytes(range(128, 256)) * 20_000,
        "text: stateful encoding": lambda: b"\x1b$B" * 500_000 + b"\xa4",
    }


def _markdown() -> dict[str, Callable[[], bytes]]:
    return {
        "a line of 10 MB": lambda: b"# " + b"a " * 5_000_000,
        "250,000 headings": lambda: b"# a\n" * 250_000,
        "headings of marks": lambda: (b"#" * 900 + b"\n") * 5000,
        "underlines": lambda: b"a\n=\n" * 210_000,
        "closing marks": lambda: (b"# a" + b" #" * 400 + b" x\n") * 3000,
        "front matter without end": lambda: b"---\na: b\n" + b"c: d\n" * 500_000,
        "fences without end": lambda: b"```\n~~~\n" * 200_000,
        "quotes nested 100,000 deep": lambda: b">" * 100_000 + b"x",
    }


def _polyglots() -> dict[str, Callable[[], bytes]]:
    pdf = rendered()
    archive = packed({"word/document.xml": b"<x/>"})
    return {
        "both.pdf": lambda: pdf + archive,
        "both.docx": lambda: archive + pdf,
        "zipped.pdf": lambda: b"%PDF-1.7\n" + archive,
        "page.pdf": lambda: b"<html><!-- " + pdf + b" --></html>",
        "page.html": lambda: b"<html><!-- " + pdf + b" --><p>seen</p></html>",
        "picture.txt": lambda: b"GIF89a/*" + b"seen " * 100,
        "picture.html": lambda: b"GIF89a=1;/*<html><script>x</script><p>seen</p>*/",
        "script.txt": lambda: b"MZ" + bytes(100) + b"This program cannot be run",
        "report.docx": lambda: pdf,
        "report.md": lambda: pdf,
        "letter.pdf": lambda: archive,
        "letter.html": lambda: archive,
    }


def attacks() -> Iterator[Attack]:
    for name, write in _pages().items():
        yield Attack(f"html: {name}", "page.html", lazily(write))
    yield Attack("html: everything that fetches", "page.html", _fetching)
    for name, write in _texts().items():
        yield Attack(name, "notes.txt", lazily(write))
    for name, write in _markdown().items():
        yield Attack(f"markdown: {name}", "notes.md", lazily(write))
    for filename, write in _polyglots().items():
        yield Attack(f"polyglot: {filename}", filename, lazily(write))
