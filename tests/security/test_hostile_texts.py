"""Text formats that are made to hang, to crash or to tell secrets: each ends in time, with a text or a sentence."""

from collections.abc import AsyncIterator

import pytest

from backend.adapters.document_parsers.sandbox import SandboxedDocumentParser
from backend.core.errors import ParsingError

MEGABYTE = 1_000_000
TOO_DEEP = "document_too_complex"
READ = "read"
LAUGHS = b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10 if n else b"ha") for n in range(20))
ATTACKS = {
    "deep json": ("application/json", b"[" * 300_000, {TOO_DEEP}),
    "closed deep json": ("application/json", b'{"a":' * 60_000 + b"1" + b"}" * 60_000, {TOO_DEEP}),
    "a number of a megabyte": ("application/json", b"1" * MEGABYTE, {READ}),
    "deep notebook": ("application/x-ipynb+json", b"[" * 300_000, {TOO_DEEP}),
    "deep xml": ("application/xml", b"<a>t" * 200_000, {READ}),
    "laughing xml": ("application/xml", b"<!DOCTYPE l [" + LAUGHS + b"]><l>&b19;</l>", {READ}),
    "xml that reads files": ("application/xml", b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>x&a;</l>', {READ}),
    "xml of comments": ("application/xml", b"<!--" * 300_000, {READ}),
    "xml of instructions": ("application/xml", b"<?" * 300_000, {READ}),
    "csv of one quote": ("text/csv", b'a,b\n"' + b"x,y\n" * 50_000, {READ}),
    "csv of long headers": (
        "text/csv", b",".join(b"h" * 180 + b"%d" % n for n in range(900)) + b"\n" + (b"1," * 900 + b"\n") * 400,
        {READ, "parser_out_of_memory", "document_too_complex"},
    ),
    "csv of columns": ("text/csv", b"," * MEGABYTE, {READ}),
    "deep rtf": ("application/rtf", b"{\\rtf1" + b"{" * 200_000 + b"x" + b"}" * 200_001, {READ}),
    "rtf of huge numbers": ("application/rtf", b"{\\rtf1\\bin-5\\deff9999999999\\uc9999999999\\ansicpg-1\\u9999999999 x}", {READ}),
    "rtf that skips its end": ("application/rtf", b"{\\rtf1 x\\bin9999999999 }", {"document_unreadable"}),
    "deep mail": ("message/rfc822", b"Content-Type: message/rfc822\n\n" * 5000 + b"x", {TOO_DEEP}),
    "mail of boundaries": (
        "message/rfc822", b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000)),
        {TOO_DEEP},
    ),
    "mail of encoded words": ("message/rfc822", b"Subject: " + b"=?utf-8?q?x?= " * 5000 + b"\n\nx", {READ}),
    "code of modifiers": ("text/x-source", (b"public " * 140 + b"\n") * 2000, {READ}),
    "code of templates": ("text/x-source", (b"template <" * 90 + b"\n") * 2000, {READ}),
    "code of types": ("text/x-source", (b"a  *" * 240 + b"\n") * 1000, {READ}),
    "sql of words": ("application/sql", (b"create " * 130 + b"\n") * 2000, {READ}),
    "rst of lines": ("text/x-rst", b"=\n" * 200_000, {READ}),
    "bytes of every kind": ("text/plain", bytes(range(128, 256)) * 3000, {READ}),
}  # fmt: skip


async def in_pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.mark.parametrize("name", ATTACKS)
async def test_it_ends_with_a_text_or_a_sentence(name: str) -> None:
    media_type, data, outcomes = ATTACKS[name]
    parser = SandboxedDocumentParser(memory_bytes=512 * MEGABYTE, timeout_seconds=20, output_bytes=64 * MEGABYTE)
    text = ""
    try:
        text = (await parser.parse(in_pieces(data), media_type)).text
        code = READ
    except ParsingError as refusal:
        code = refusal.code

    assert code in outcomes
    assert "root:" not in text
    assert len(text) < 64 * MEGABYTE
