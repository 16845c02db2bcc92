"""Several files in one request: each is accepted or refused on its own."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.requests import ClientDisconnect

from backend.api.uploads import incoming
from backend.api.uploads.files import Files
from backend.core.errors import DocentError, DocumentTooLargeError, UploadInvalidError
from tests.api.test_uploads import BOUNDARY, MAX, body_of, collected, file_part, request_of, title_part
from tests.support.product import Account, Product
from tests.support.wire import connected

UPLOAD, DOCUMENTS = "/api/v1/chat/upload", "/api/v1/chat/documents"
LIMIT = 2_000_000  # As the product of these tests is told.

Sent = tuple[str, bytes]


def a_text(number: int) -> Sent:
    return f"{number}.md", f"# Number {number}\n\nThis is the text of number {number}.\n".encode()


def files_part(name: str, data: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="files"; filename="{name}"', data


async def send(account: Account, files: Sequence[Sent], key: str | None = None) -> Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await account.client.post(UPLOAD, files=[("files", file) for file in files], headers=headers)


async def listed(account: Account) -> list[str]:
    items = (await account.client.get(DOCUMENTS, params={"limit": 100})).json()["items"]
    return [item["filename"] for item in items][::-1]


def names(outcome: dict[str, Any]) -> list[str]:
    return [document["filename"] for document in outcome["accepted"]]


async def test_of_twenty_files_with_five_faults_fifteen_are_accepted_and_each_fault_is_its_own(alice: Account) -> None:
    first = (await alice.upload(*a_text(0))).json()["id"]
    faults: dict[int, Sent] = {
        2: ("empty.md", b""),
        5: ("virus.exe", b"MZ\x90\x00"),
        9: ("large.md", b"line\n" * 500_000),
        13: ("again.md", a_text(0)[1]),
        19: ("really.pdf", b"just text"),
    }

    answer = await send(alice, [faults.get(number, a_text(number)) for number in range(1, 21)])

    outcome = answer.json()
    good = [f"{number}.md" for number in range(1, 21) if number not in faults]
    assert (answer.status_code, names(outcome), await listed(alice)) == (202, good, ["0.md", *good])
    assert [rejected["filename"] for rejected in outcome["rejected"]] == [name for name, _ in faults.values()]
    for rejected, (name, data) in zip(outcome["rejected"], faults.values(), strict=True):
        alone = await alice.upload(name, data)
        assert {**alone.json(), "request_id": ""} == {**rejected["problem"], "request_id": ""}
    assert outcome["rejected"][3]["problem"]["document_id"] == first
    assert {(await alice.settled(document["id"]))["status"] for document in outcome["accepted"]} == {"ready"}


async def test_two_of_the_same_and_a_name_that_is_none_are_faults_of_one_file(alice: Account) -> None:
    parts = [files_part("a.md", b"same"), files_part("..", b"nameless"), files_part("b.md", b"same"), files_part("c.md", b"c")]
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    outcome = (await alice.client.post(UPLOAD, content=body_of(*parts), headers=headers)).json()

    assert names(outcome) == ["a.md", "c.md"]
    told = [(rejected["filename"], rejected["problem"]["code"]) for rejected in outcome["rejected"]]
    assert told == [(None, "upload_invalid"), ("b.md", "document_duplicate")]


async def test_the_twenty_first_file_is_too_many_and_the_problem_says_what_was_accepted(alice: Account) -> None:
    answer = await send(alice, [a_text(number) for number in range(21)])

    problem = answer.json()
    assert (answer.status_code, problem["code"], answer.headers["content-type"]) == (
        422,
        "upload_invalid",
        "application/problem+json",
    )
    assert (len(problem["accepted"]), problem["rejected"]) == (20, [])
    assert await listed(alice) == names(problem)


async def test_a_file_and_files_neither_of_them_and_a_title_for_many_are_refused(alice: Account) -> None:
    for files, fields in (
        ([("file", a_text(1)), ("files", a_text(2))], {}),
        ([("files", a_text(3))], {"title": "Which?"}),
        ([("other", a_text(4))], {}),
    ):
        answer = await alice.client.post(UPLOAD, files=files, data=fields)
        assert (answer.status_code, answer.json()["code"]) == (422, "upload_invalid")
    assert await listed(alice) == []

    late = await alice.client.post(UPLOAD, files=[("files", a_text(5)), ("file", a_text(6))])
    assert (late.status_code, names(late.json()), await listed(alice)) == (422, ["5.md"], ["5.md"])


async def test_who_leaves_in_the_middle_of_the_seventh_file_keeps_six(product: Product, alice: Account) -> None:
    folder, said = Path(product.environment["DATA_DIR"]) / "files", len(product.lines)
    key = {"Idempotency_Key": "ten"}
    parts = [files_part(*a_text(number)) for number in range(6)] + [files_part("6.md", b"line\n" * 100_000)]
    begun = body_of(*parts, end=b"")[: -len(BOUNDARY) - 100]
    async with connected(product.url) as wire:
        await wire.begin(
            "POST",
            UPLOAD,
            Authorization=f"Bearer {alice.access_token}",
            Content_Type=f"multipart/form-data; boundary={BOUNDARY}",
            Content_Length=LIMIT,
            **key,
        )
        await wire.send(begun)
        async with asyncio.timeout(30):
            while len(await listed(alice)) < 6:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
        wire.leave()
    await asyncio.sleep(0.3)

    assert await listed(alice) == [f"{number}.md" for number in range(6)]
    assert list(folder.rglob("*#*")) == []
    assert "Traceback" not in "".join(product.lines[said:])
    again = await send(alice, [a_text(number) for number in range(10)], key="ten")
    assert (again.status_code, len(again.json()["accepted"]), again.json()["rejected"]) == (202, 10, [])
    assert len(await listed(alice)) == 10


async def test_the_same_files_with_the_same_key_are_the_documents_that_they_made(alice: Account) -> None:
    files = [a_text(1), ("empty.md", b""), a_text(2)]
    first = await send(alice, files, key="k")

    again = await send(alice, files, key="k")
    changed = await send(alice, [a_text(1), a_text(3), a_text(4)], key="k")

    assert [document["id"] for document in again.json()["accepted"]] == [d["id"] for d in first.json()["accepted"]]
    replays = [answer.headers.get("idempotent-replayed") for answer in (first, again, changed)]
    assert replays == [None, "true", None]
    assert names(changed.json()) == ["1.md", "3.md"]
    (refused,) = changed.json()["rejected"]
    assert (refused["filename"], refused["problem"]["code"]) == ("4.md", "idempotency_key_reused")
    alone = await alice.client.post(UPLOAD, files={"file": a_text(1)}, headers={"Idempotency-Key": "k"})
    assert (alone.status_code, alone.json()["code"]) == (422, "idempotency_key_reused")
    assert await listed(alice) == ["1.md", "2.md", "3.md"]


# --- the reader ---------------------------------------------------------------------------------------------------------


async def read(chunks: Sequence[bytes], *, max_bytes: int = MAX) -> tuple[list[object], type[DocentError] | None]:
    """What comes of a body of several files: names with bytes, or errors; and what broke it."""
    found: list[object] = []
    try:
        files = await incoming(request_of(chunks), max_bytes=max_bytes)
        assert isinstance(files, Files)
        async for part in files.parts():
            try:
                found.append((part.filename, await collected(part.upload().pieces)))
            except DocentError as error:
                found.append(type(error))
    except DocentError as error:
        return found, type(error)
    return found, None


async def test_a_file_can_be_read_before_the_next_one_arrives_or_not_at_all() -> None:
    body = body_of(files_part("a.md", b"a" * 5000), files_part("b.md", b"b" * 5000))
    files = await incoming(request_of([body[:3000], body[3000:6000], body[6000:]], length=len(body)), max_bytes=MAX)
    assert isinstance(files, Files)
    parts = files.parts()

    first = await anext(parts)
    assert (await anext(first)).startswith(b"aaa")
    second = await anext(parts)

    assert (second.filename, await collected(second)) == ("b.md", b"b" * 5000)
    assert [part async for part in parts] == []


async def test_one_that_is_too_large_is_read_over_and_the_body_is_bounded_too() -> None:
    parts = [files_part("a.md", b"a" * 1001), files_part("b.md", b"b" * 1000)]
    assert await read([body_of(*parts)], max_bytes=1000) == ([DocumentTooLargeError, ("b.md", b"b" * 1000)], None)

    endless = body_of(files_part("a.md", b"a" * 500))[:-100]
    found, broken = await read([endless, *[b"a" * 65_536] * 1000], max_bytes=1000)
    assert (found, broken) == ([DocumentTooLargeError], DocumentTooLargeError)
    with pytest.raises(DocumentTooLargeError):
        await incoming(request_of([], length=MAX * 30), max_bytes=MAX)


@pytest.mark.parametrize(
    ("body", "read_before"),
    [
        (body_of(files_part("a.md", b"a"), title_part(b"T")), 1),
        (body_of(files_part("a.md", b"a"), file_part(b"b")), 1),
        (body_of(files_part("a.md", b"a"), ('Content-Disposition: form-data; name="files"', b"b")), 1),
        (body_of(files_part("a.md", b"a"), ("Content-Disposition: form-data", b"b")), 1),
        (body_of(files_part("a.md", b"a"), files_part("b.md", b"b" * 500))[:-100], 2),
        (body_of(*[files_part("a.md", b"a")] * 21), 20),
        (body_of(('Content-Disposition: form-data; name="files"', b"a")), 0),
        (body_of(title_part(b"T"), files_part("a.md", b"a")), 0),
        (body_of(file_part(b"a"))[:20], 0),
    ],
)
async def test_what_breaks_a_body_breaks_it_after_the_files_before(body: bytes, read_before: int) -> None:
    found, broken = await read([body])

    assert (len(found), broken) == (read_before, UploadInvalidError)
    assert await read([body[n : n + 1] for n in range(len(body))]) == (found, broken)


async def test_a_client_that_leaves_is_a_disconnect() -> None:
    body = body_of(files_part("a.md", b"a"), files_part("b.md", b"b" * 500))
    files = await incoming(request_of([body[:400]], gone=True), max_bytes=MAX)
    assert isinstance(files, Files)
    read = []
    with pytest.raises(ClientDisconnect):
        read += [await collected(part) async for part in files.parts()]

    assert read == []
