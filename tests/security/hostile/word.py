"""Word documents that unpack, nest, refer or lie."""

import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZipFile, ZipInfo

from docx import Document

from tests.security.hostile.attack import HIDDEN, Attack, lazily, packed

NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
PART = "word/document.xml"


def body(xml: str, prologue: str = "") -> bytes:
    return f'{prologue}<w:document xmlns:w="{NAMESPACE}"><w:body>{xml}</w:body></w:document>'.encode()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def honest() -> bytes:
    document = Document()
    document.add_heading("A heading", 1)
    document.add_paragraph("An honest paragraph.")
    document.add_table(2, 2).cell(0, 0).text = "cell"
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _with_parts(parts: dict[str, bytes]) -> bytes:
    """Return an honest document with parts replaced and added."""
    with ZipFile(BytesIO(honest())) as package:
        kept = {name: package.read(name) for name in package.namelist() if name not in parts}
    return packed(kept | parts)


def _link() -> tuple[ZipInfo, bytes]:
    link = ZipInfo("word/footnotes.xml")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    return link, b"/etc/passwd"


def _lying(size: int) -> bytes:
    """Say another size in the directory than a part has: the four bytes at offset 24 of its entry."""
    data = bytearray(packed({PART: body(paragraph("0" * 30_000_000))}))
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, size)
    return bytes(data)


def _overlapping(entries: int) -> bytes:
    """Let many entries of the directory unpack the same bytes."""
    data = packed({PART: body(paragraph("0" * 1_000_000))})
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[directory:end]
    names = (entry.replace(PART.encode(), f"word/{number:08}.xml".encode()) for number in range(entries))
    copies = entry + b"".join(names)
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, entries + 1, entries + 1, len(copies), directory, 0)
    return data[:directory] + copies + tail


def _compressed(method: int) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", method) as package:
        package.writestr(PART, body(paragraph("text " * 1000)))
    data = bytearray(file.getvalue())
    data[60:90] = bytes(30)
    return bytes(data)


def _nested(depth: int) -> bytes:
    data = body(paragraph("0" * 10_000_000))
    for level in range(depth):
        data = packed({f"word/{level}.zip": data} | ({PART: body(paragraph("outside"))} if level == depth - 1 else {}))
    return data


def _laughs() -> str:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>'


def _external(system: str) -> bytes:
    declared = f'<!DOCTYPE x SYSTEM "{system}" [<!ENTITY e SYSTEM "{system}"><!ENTITY % p SYSTEM "{system}"> %p;]>'
    return packed({PART: body(paragraph("seen &e;"), declared)})


def _linked(address: str) -> bytes:
    relations = "".join(
        f'<Relationship Id="x{number}" Type="{RELATIONS}/{kind}" Target="{address}/{kind}" TargetMode="External"/>'
        for number, kind in enumerate(("attachedTemplate", "image", "hyperlink", "oleObject", "frame", "subDocument"))
    )
    return _with_parts(
        {"word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE_RELATIONS}">{relations}</Relationships>'.encode()}
    )


def attacks() -> Iterator[Attack]:
    deleted = f"<w:p><w:del><w:r><w:delText>{HIDDEN}</w:delText></w:r></w:del><w:r><w:t>seen</w:t></w:r></w:p>"
    circle = f'<w:styles xmlns:w="{NAMESPACE}">' + "".join(
        f'<w:style w:styleId="s{n}"><w:basedOn w:val="s{(n + 1) % 3}"/></w:style>' for n in range(3)
    )
    files: dict[str, Callable[[], bytes]] = {
        "a part that unpacks to 60 MB": lambda: packed({PART: body(paragraph("0" * 60_000_000))}),
        "eleven thousand parts": lambda: packed({f"word/{n}.xml": b"" for n in range(11_000)}),
        "archives in archives": lambda: _nested(5),
        "entries that overlap": lambda: _overlapping(2000),
        "a part that says it is small": lambda: _lying(10),
        "a part that says it is 4 GB": lambda: _lying(0xFFFFFFFE),
        "broken LZMA": lambda: _compressed(ZIP_LZMA),
        "broken bzip2": lambda: _compressed(ZIP_BZIP2),
        "a billion laughs": lambda: packed({PART: body(paragraph("seen &a11;"), _laughs())}),
        "one entity, many times": lambda: packed(
            {PART: body(paragraph("&a;" * 100_000), f'<!DOCTYPE x [<!ENTITY a "{"ha" * 50_000}">]>')}
        ),
        "elements nested 100,000 deep": lambda: packed({PART: body("<w:sdt>" * 100_000 + "</w:sdt>" * 100_000)}),
        "tables nested 60 deep": lambda: packed(
            {PART: body("<w:tbl><w:tr><w:tc>" * 60 + paragraph("x") + "</w:tc></w:tr></w:tbl>" * 60)}
        ),
        "attributes without end": lambda: packed({PART: body("<w:p " + " ".join(f'a{n}="x"' for n in range(300_000)) + "/>")}),
        "names that climb": lambda: packed({PART: body(paragraph("seen")), "../../../../etc/passwd": b"x", "/etc/passwd": b"x"}),
        "a symbolic link": lambda: packed({PART: body(paragraph("seen"))}, _link()),
        "macros": lambda: _with_parts({"word/vbaProject.bin": b"\xd0\xcf\x11\xe0" + HIDDEN.encode()}),
        "deleted text": lambda: packed({PART: body(deleted)}),
        "styles in a circle": lambda: _with_parts({"word/styles.xml": (circle + "</w:styles>").encode()}),
        "no body": lambda: _with_parts({PART: f'<w:document xmlns:w="{NAMESPACE}"/>'.encode()}),
        "an empty root": lambda: packed({PART: b"<x/>"}),
        "a root of another kind": lambda: _with_parts({PART: b"<x><y>seen</y></x>"}),
        "relations to themselves": lambda: _with_parts(
            {
                "word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE_RELATIONS}"><Relationship Id="x" '
                f'Type="{RELATIONS}/styles" Target="document.xml"/></Relationships>'.encode()
            }
        ),
        "UTF-7": lambda: packed({PART: b'<?xml version="1.0" encoding="UTF-7"?>' + body(paragraph("+ADw-"))}),
    }  # fmt: skip
    for name, write in files.items():
        yield Attack(f"word: {name}", "letter.docx", lazily(write))
    yield Attack("word: an entity that reads a file", "letter.docx", lambda _: _external("file:///etc/passwd"))
    yield Attack("word: an entity from the network", "letter.docx", _external)
    yield Attack("word: relations to the network", "letter.docx", _linked)
