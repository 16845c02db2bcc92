"""Reading multipart uploads: every way to cut, break and disguise them."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request

from backend.api.uploads import incoming_file
from backend.core.errors import DocentError, DocumentTooLargeError, UploadInvalidError
from backend.core.values.document import Upload

BOUNDARY = "----edge"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
MAX = 100_000

Part = tuple[str, bytes]


def file_part(data: bytes = b"hello", *, named: str = 'filename="notes.md"') -> Part:
    return f'Content-Disposition: form-data; name="file"; {named}\r\nContent-Type: text/markdown', data


def title_part(title: bytes) -> Part:
    return 'Content-Disposition: form-data; name="title"', title


def body_of(*parts: Part, end: bytes = b"--\r\n") -> bytes:
    made = b"".join(
        f"--{BOUNDARY}\r\n".encode() + headers.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + data + b"\r\n"
        for headers, data in parts
    )
    return made + f"--{BOUNDARY}".encode() + end


def request_of(
    chunks: Sequence[bytes], *, content_type: str | None = TYPE, gone: bool = False, length: int | None = None
) -> Request:
    """A request whose body arrives in these chunks; ``gone`` hangs up instead of ending it."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False})
    arriving = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(arriving)

    headers = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def collected(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def outcome(chunks: Sequence[bytes], *, max_bytes: int = MAX) -> tuple[Any, ...]:
    """What comes of a body: the whole upload, or the error with its sentence."""
    try:
        upload = await incoming_file(request_of(chunks), max_bytes=max_bytes)
        return upload.filename, upload.title, await collected(upload.pieces)
    except DocentError as error:
        return type(error), error.message


async def test_a_file_and_its_title_arrive() -> None:
    data = bytes(range(256)) * 50

    assert await outcome([body_of(title_part(b"  My notes "), file_part(data))]) == ("notes.md", "My notes", data)
    assert await outcome([body_of(file_part(data))]) == ("notes.md", None, data)


async def test_the_file_streams_before_the_body_is_complete_and_a_client_that_leaves_is_a_disconnect() -> None:
    body = body_of(file_part(b"a" * 5000))
    request = request_of([body[:3000]], gone=True)

    upload = await incoming_file(request, max_bytes=MAX)

    assert (await anext(upload.pieces)).startswith(b"aaa")
    with pytest.raises(ClientDisconnect):
        await collected(upload.pieces)
    with pytest.raises(ClientDisconnect):
        await incoming_file(request_of([body[:20]], gone=True), max_bytes=MAX)


async def test_an_empty_file_is_left_to_the_service() -> None:
    assert await outcome([body_of(file_part(b""))]) == ("notes.md", None, b"")


async def test_the_limit_is_exact_and_raised_in_the_middle() -> None:
    assert (await outcome([body_of(file_part(b"x" * 1000))], max_bytes=1000))[2] == b"x" * 1000

    chunks = [body_of(file_part(b"x" * 1001))[:-1000], b"never read"]
    upload = await incoming_file(request_of([*chunks, b"x" * 2000]), max_bytes=1000)
    with pytest.raises(DocumentTooLargeError):
        await collected(upload.pieces)


async def test_a_length_that_is_announced_as_far_too_much_is_refused_unread() -> None:
    with pytest.raises(DocumentTooLargeError):
        await incoming_file(request_of([], length=MAX * 10), max_bytes=MAX)


@pytest.mark.parametrize("noise", [[b"\r\n" * 500] * 1000, [body_of(file_part()), *([b"after the end" * 100] * 1000)]])
async def test_a_body_that_never_stops_talking_is_too_large(noise: list[bytes]) -> None:
    assert (await outcome(noise))[0] is DocumentTooLargeError


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="ends with a space "',
        f"multipart/form-data; boundary={'b' * 71}",
        "multipart/form-data; boundary=\xe9",
    ],
)
async def test_another_content_type_or_no_boundary_is_refused(content_type: str | None) -> None:
    with pytest.raises(UploadInvalidError):
        await incoming_file(request_of([body_of(file_part())], content_type=content_type), max_bytes=MAX)


BROKEN: dict[str, bytes] = {
    "an empty body": b"",
    "no parts": body_of(),
    "no boundary": b"just text",
    "another boundary": body_of(file_part()).replace(b"edge", b"cliff"),
    "no file": body_of(title_part(b"My notes")),
    "two files": body_of(file_part(), file_part()),
    "a title after the file": body_of(file_part(), title_part(b"late")),
    "two titles": body_of(title_part(b"one"), title_part(b"two"), file_part()),
    "a title that is a file": body_of(('Content-Disposition: form-data; name="title"; filename="t"', b"x"), file_part()),
    "an unknown field": body_of(('Content-Disposition: form-data; name="owner"', b"x"), file_part()),
    "twenty-one parts": body_of(*[title_part(b"t")] * 20, file_part()),
    "a file that is text": body_of(('Content-Disposition: form-data; name="file"', b"hello")),
    "a part without a name": body_of(("Content-Disposition: form-data", b"x"), file_part()),
    "a part that is no form-data": body_of(('Content-Disposition: attachment; name="file"; filename="a"', b"x")),
    "a part without headers": body_of(("X-Nothing: 1", b"x")),
    "a name twice": body_of(file_part(named='filename="a.md"; filename="b.md"')),
    "a quotation mark left open": body_of(file_part(named='filename="a.md')),
    "a header twice": body_of(("Content-Type: a/b\r\n" + file_part()[0], b"x")),
    "a header that is none": body_of((file_part()[0] + "\r\nno colon", b"x")),
    "a transfer encoding": body_of((file_part()[0] + "\r\nContent-Transfer-Encoding: base64", b"aGVsbG8=")),
    "header bytes over 8 KB": body_of((file_part()[0] + f"\r\nX-Long: {'x' * 8192}", b"x")),
    "headers over 8 KB together": body_of((file_part()[0] + "".join(f"\r\nX-{n}: {'x' * 2000}" for n in range(5)), b"x")),
    "seventeen headers": body_of((file_part()[0] + "".join(f"\r\nX-{n}: x" for n in range(15)), b"x")),
    "a field over 8 KB": body_of(title_part(b"t" * 8193), file_part()),
    "an empty title": body_of(title_part(b"   "), file_part()),
    "a title of 301 characters": body_of(title_part("é".encode() * 301), file_part()),
    "a title with NUL": body_of(title_part(b"a\0b"), file_part()),
    "a title with a lone surrogate": body_of(title_part(b"\xed\xa0\x80"), file_part()),
    "a title that is not UTF-8": body_of(title_part(b"\xe9"), file_part()),
    "an empty file name": body_of(file_part(named='filename=""')),
    "a file name of slashes": body_of(file_part(named='filename="../.."')),
    "a file name of control characters": body_of(file_part(named='filename="%0D\0\x01"')),
    "a file name with a lone surrogate": body_of(file_part(named="filename*=UTF-8''%ED%A0%80.md")),
    "a file name in another encoding": body_of(file_part(named="filename*=KOI8-R''%C1.md")),
    "no end after the title": body_of(title_part(b"t"), end=b"")[:-20],
    "no closing boundary": body_of(file_part(), end=b"\r\n"),
    "half a closing boundary": body_of(file_part(), end=b"-"),
    "cut in the file": body_of(file_part())[:-20],
    "cut in the headers": body_of(file_part())[:50],
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_a_body_that_is_broken_is_refused_with_a_sentence(body: bytes) -> None:
    kind, message = await outcome([body])

    assert kind is UploadInvalidError
    assert message.endswith(".")
    assert await outcome([body[n : n + 1] for n in range(len(body))]) == (kind, message)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ('filename="plain.txt"', "plain.txt"),
        ("filename=token.txt", "token.txt"),
        ('FILENAME = "spaced.txt" ;', "spaced.txt"),
        ('filename="bé%22g.bin"', 'bé"g.bin'),
        ('filename="a%0D%0Ab.txt"', "ab.txt"),
        ('filename="100%25 sure.txt"', "100%25 sure.txt"),
        (r'filename="say \"hi\".txt"', 'say "hi".txt'),
        (r'filename="ends in a quote\""', 'ends in a quote"'),
        ('filename="a; name=b.txt"', "a; name=b.txt"),
        (r'filename="C:\Users\me\report.pdf"', "report.pdf"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="nul\0 and\x07 bell.txt"', "nul and bell.txt"),
        ('filename="  padded.txt  "', "padded.txt"),
        ("filename*=UTF-8''na%C3%AFve%20caf%C3%A9.txt", "naïve café.txt"),
        ("filename=\"fallback.txt\"; filename*=UTF-8'en'%E2%82%AC.txt", "€.txt"),
        ("filename*=iso-8859-1''%A3.txt; filename=\"fallback.txt\"", "£.txt"),
        ("filename*=KOI8-R''%C1.txt; filename=\"fallback.txt\"", "fallback.txt"),
        ("filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ('filename="caf\udce9.txt"', "café.txt"),
        (f'filename="{"long" * 100}.tar.gz"', ("long" * 100)[:252] + ".gz"),
        (f'filename="a.{"b" * 300}"', "a." + "b" * 253),
    ],
)
async def test_file_names_are_read_as_clients_write_them(named: str, expected: str) -> None:
    assert await outcome([body_of(file_part(named=named))]) == (expected, None, b"hello")


async def test_a_route_gets_the_file_as_a_dependency_and_a_body_cut_by_the_limit_is_answered() -> None:
    app = FastAPI()

    async def file_of(request: Request) -> Upload:
        return await incoming_file(request, max_bytes=1000)

    @app.post("/upload")
    async def upload(file: Annotated[Upload, Depends(file_of)]) -> list[str]:
        try:
            return [file.filename, (await collected(file.pieces)).decode()]
        except DocumentTooLargeError as error:
            return [error.code]

    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        assert (await client.post("/upload", files={"file": ("é.md", b"hello")})).json() == ["é.md", "hello"]
        assert (await client.post("/upload", files={"file": ("a.md", b"x" * 2000)})).json() == ["document_too_large"]


DATA = st.binary(max_size=80) | st.lists(st.sampled_from([b"\r\n", b"--", BOUNDARY.encode(), b"x", b"\r"])).map(b"".join)
WHOLE = st.builds(
    lambda data, titled: body_of(*([title_part(b"t")] if titled else []), file_part(data)),
    DATA.filter(lambda data: b"\r\n--" + BOUNDARY.encode() not in b"\r\n" + data),
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(body=WHOLE | st.sampled_from(list(BROKEN.values())), before=st.sampled_from([b"", b"\r\n", b"\r\n-x"]), data=st.data())
async def test_however_a_body_is_cut_it_means_the_same(body: bytes, before: bytes, data: st.DataObject) -> None:
    body = before + body
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=12)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    assert await outcome(chunks) == await outcome([body])
