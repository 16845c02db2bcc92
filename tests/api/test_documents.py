"""Documents over the socket: in, listed, read, and out again."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from httpx2 import Response

from tests.contracts.test_document_parsers.files import a_pdf
from tests.support.files import WHALES
from tests.support.product import Account, Product
from tests.support.wire import connected

DOCUMENTS = "/api/v1/chat/documents"
LIMIT = 2_000_000  # As the product of these tests is told.
EDGE = "----edge"


def files_of(product: Product) -> set[Path]:
    return {path for path in (Path(product.environment["DATA_DIR"]) / "files").rglob("*") if path.is_file()}


def body(filename: str, data: bytes, *, end: bool = True) -> bytes:
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    return head.encode() + data + (f"\r\n--{EDGE}--\r\n".encode() if end else b"")


async def send(account: Account, content: bytes) -> Response:
    kind = {"Content-Type": f"multipart/form-data; boundary={EDGE}"}
    return await account.client.post("/api/v1/chat/upload", content=content, headers=kind)


async def test_an_upload_is_accepted_before_it_is_read_and_says_where_it_will_be(alice: Account) -> None:
    response = await alice.upload("notes.md", WHALES, title="  Of whales ")

    accepted = response.json()
    assert (response.status_code, response.headers["location"]) == (202, f"{DOCUMENTS}/{accepted['id']}")
    assert (accepted["title"], accepted["filename"], accepted["media_type"]) == ("Of whales", "notes.md", "text/markdown")
    assert (accepted["size"], accepted["sha256"]) == (len(WHALES), hashlib.sha256(WHALES).hexdigest())
    assert (accepted["status"], accepted["progress"], accepted["error"]) == ("pending", {"done": 0, "total": 0}, None)
    ready = await alice.settled(accepted["id"])
    assert (ready["status"], ready["progress"]["done"]) == ("ready", ready["chunks"])


async def test_the_same_bytes_twice_are_a_duplicate_that_names_the_first_for_this_owner_only(alice: Account, bob: Account) -> None:
    first = (await alice.upload("notes.md", WHALES)).json()["id"]

    again = await alice.upload("other-name.md", WHALES)

    assert (again.status_code, again.json()["code"], again.json()["document_id"]) == (409, "document_duplicate", first)
    assert (await bob.upload("notes.md", WHALES)).status_code == 202


REFUSED: list[tuple[bytes, int, str]] = [
    (body("empty.md", b""), 422, "document_empty"),
    (body("virus.exe", b"MZ\x90\x00"), 415, "document_type_unsupported"),
    (body("really.pdf", b"just text"), 415, "document_type_unsupported"),
    (body("really.txt", a_pdf(["Text."])), 415, "document_type_unsupported"),
    (body("notes.md", WHALES, end=False), 422, "upload_invalid"),
    (body("notes.md", WHALES * 100, end=False)[:-7], 422, "upload_invalid"),
    (body("", WHALES), 422, "upload_invalid"),
    (body("..", WHALES), 422, "upload_invalid"),
    (body("notes.md", WHALES).replace(b'name="file"', b'name="data"'), 422, "upload_invalid"),
    (body("notes.md", WHALES).replace(b'; filename="notes.md"', b""), 422, "upload_invalid"),
    (body("@.md", WHALES).replace(b"@", b"\xed\xa0\x80"), 422, "upload_invalid"),
    (f"--{EDGE}--\r\n".encode(), 422, "upload_invalid"),
    (b"", 422, "upload_invalid"),
    (b"garbage", 422, "upload_invalid"),
    (body("big.md", b"x" * (LIMIT + 1)), 413, "document_too_large"),
    (body("huge.md", b"x" * (LIMIT + 200_000)), 413, "document_too_large"),
]


@pytest.mark.parametrize(("content", "status", "code"), REFUSED, ids=range(len(REFUSED)))
async def test_a_bad_upload_is_a_problem_and_leaves_nothing(
    product: Product, alice: Account, content: bytes, status: int, code: str
) -> None:
    before = files_of(product)

    response = await send(alice, content)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert (await alice.client.get(DOCUMENTS)).json()["items"] == []
    assert files_of(product) <= before


async def test_what_is_no_upload_at_all_is_refused(alice: Account) -> None:
    for options in ({"json": {"file": "x"}}, {"data": {"file": "x"}}, {}):
        response = await alice.client.post("/api/v1/chat/upload", **options)  # type: ignore[arg-type] # each is right
        assert (response.status_code, response.json()["code"]) == (422, "upload_invalid")


async def test_too_large_a_file_is_refused_while_it_arrives(product: Product, alice: Account) -> None:
    before = files_of(product)
    async with connected(product.url) as wire:
        await wire.begin(
            "POST",
            "/api/v1/chat/upload",
            Authorization=f"Bearer {alice.access_token}",
            Content_Type=f"multipart/form-data; boundary={EDGE}",
            Transfer_Encoding="chunked",
        )
        await wire.send_chunk(body("endless.md", b"", end=False))
        sent = 0
        while not wire.answered() and sent < 100_000_000:
            await wire.send_chunk(b"line\n" * 13_000)
            sent += 65_000
        status, head = await wire.answer()

    assert (status, b"application/problem+json" in head) == (413, True)
    assert LIMIT < sent < 20_000_000
    assert files_of(product) <= before


async def test_who_calls_is_asked_before_the_file_is_read(product: Product) -> None:
    async with connected(product.url) as wire:
        await wire.begin(
            "POST", "/api/v1/chat/upload", Content_Type=f"multipart/form-data; boundary={EDGE}", Content_Length=1_000_000
        )
        status, head = await wire.answer()

    assert (status, b"www-authenticate: Bearer" in head) == (401, True)


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(product: Product, alice: Account) -> None:
    before, said = files_of(product), len(product.lines)
    async with connected(product.url) as wire:
        await wire.begin(
            "POST",
            "/api/v1/chat/upload",
            Authorization=f"Bearer {alice.access_token}",
            Content_Type=f"multipart/form-data; boundary={EDGE}",
            Content_Length=1_500_000,
        )
        await wire.send(body("half.md", b"line\n" * 200_000, end=False))
        await asyncio.sleep(0.1)
        wire.leave()
    await asyncio.sleep(0.1)

    assert files_of(product) <= before
    assert (await alice.client.get(DOCUMENTS)).json()["items"] == []
    assert "Traceback" not in "".join(product.lines[said:])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.7\n" + b"broken " * 300, "document_unreadable"),
        (a_pdf(["Nobody has read this."], owner_password="o", user_password="u"), "document_encrypted"),
    ],
)
async def test_a_pdf_that_cannot_be_read_fails_with_a_sentence(alice: Account, data: bytes, code: str) -> None:
    response = await alice.upload("paper.pdf", data)
    assert response.status_code == 202

    failed = await alice.settled(response.json()["id"])

    assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    assert failed["error"]["message"].endswith(".")
    assert "Traceback" not in failed["error"]["message"]
    again = await alice.upload("paper.pdf", data)
    assert (again.status_code, again.json()["id"]) == (202, failed["id"])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Walfänge 🐋.md", "Walfänge 🐋.md"),
        ("say %22hello%22.md", 'say "hello".md'),
        ("../../etc/passwd.md", "passwd.md"),
        (r"C:\Users\alice\notes.md", "notes.md"),
        ("a" * 300 + ".md", "a" * 252 + ".md"),
        ("line%0D%0ASet-Cookie: x.md", "lineSet-Cookie: x.md"),
    ],
)
async def test_a_file_keeps_its_name_and_comes_back_only_as_a_download(alice: Account, sent: str, kept: str) -> None:
    document = (await send(alice, body(sent, WHALES))).json()

    file = await alice.client.get(f"{DOCUMENTS}/{document['id']}/file")

    assert (document["filename"], file.content) == (kept, WHALES)
    assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert file.headers["content-type"] == "application/octet-stream"
    assert (file.headers["x-content-type-options"], file.headers["content-length"]) == ("nosniff", str(len(WHALES)))
    assert "set-cookie" not in file.headers


async def test_a_file_that_is_missing_from_the_store_is_a_problem_and_not_a_broken_download(
    product: Product, alice: Account
) -> None:
    before = files_of(product)
    document = (await alice.upload("notes.md", WHALES)).json()["id"]
    await alice.settled(document)
    (stored,) = files_of(product) - before
    stored.unlink()

    file = await alice.client.get(f"{DOCUMENTS}/{document}/file")

    assert (file.status_code, file.json()["code"]) == (404, "blob_not_found")
    assert "content-disposition" not in file.headers


async def test_a_list_is_read_page_by_page_newest_first(alice: Account) -> None:
    ids = [(await alice.upload(f"{number}.txt", f"This is number {number}.".encode())).json()["id"] for number in range(5)]

    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await alice.client.get(DOCUMENTS, params={"limit": "2", **cursor})).json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert found == ids[::-1]


async def test_offsets_count_code_points(alice: Account) -> None:
    text = "Zwölf 🐋🐋 𝔘𝔫𝔦 e\u0301 end."
    document = (await alice.upload("astral.txt", text.encode())).json()["id"]
    await alice.settled(document)
    for start, end in ((0, 5), (6, 8), (7, 10), (9, 12), (0, 1000), (13, 15), (500, 600)):
        part = (await alice.client.get(f"{DOCUMENTS}/{document}/text", params={"start": start, "end": end})).json()
        assert (part["text"], part["length"]) == (text[start:end], len(text))
        assert (part["start"], part["end"]) == (start, start + len(text[start:end]))


async def test_a_document_is_renamed_and_then_deleted_from_everything_at_once(alice: Account) -> None:
    document = (await alice.upload("notes.md", WHALES)).json()["id"]
    await alice.settled(document)
    renamed = await alice.client.patch(f"{DOCUMENTS}/{document}", json={"title": "Giants 🐋"})
    assert renamed.json()["title"] == "Giants 🐋"
    assert (await alice.ask("What do blue whales eat?")).json()["sources"][0]["title"] == "Giants 🐋"

    assert (await alice.client.delete(f"{DOCUMENTS}/{document}")).status_code == 204

    answer = (await alice.ask("What do blue whales eat?")).json()
    assert (answer["answer_status"], answer["sources"]) == ("no_documents", [])
    assert (await alice.client.get(DOCUMENTS)).json()["items"] == []
    for path in ("", "/text", "/file"):
        assert (await alice.client.get(f"{DOCUMENTS}/{document}{path}")).json()["code"] == "document_not_found"
    assert (await alice.client.delete(f"{DOCUMENTS}/{document}")).status_code == 404
    assert (await alice.upload("notes.md", WHALES)).status_code == 202
