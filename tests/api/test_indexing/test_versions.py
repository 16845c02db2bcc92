"""New versions of a document: the one before answers until they can."""

import asyncio
from typing import Any

from httpx2 import Response

from tests.api.test_documents import EDGE, body
from tests.api.test_indexing.watching import DOCUMENTS, at_stage, cancel
from tests.support.files import WHALES
from tests.support.product import Account, Product
from tests.support.wire import connected

QUESTION = "What do blue whales eat?"
NEWER = b"# Whales\n\n## Diet\n\nBlue whales eat krill, and since the new survey up to 4,800 kilograms of it a day.\n"
OTHER = b"# Bread\n\nBread needs flour, water and salt.\n"
BROKEN = b"%PDF-1.7\n" + b"broken " * 300


async def replace(account: Account, document_id: str, content: bytes, name: str = "newer.md", **more: Any) -> Response:
    return await account.client.put(f"{DOCUMENTS}/{document_id}/file", files={"file": (name, content)}, **more)


async def ready(account: Account, name: str, data: bytes) -> dict[str, Any]:
    document = await account.settled((await account.upload(name, data)).json()["id"])
    assert document["status"] == "ready"
    return document


async def cited(account: Account) -> dict[str, Any]:
    answer = (await account.ask(QUESTION)).json()
    assert answer["answer_status"] == "grounded"
    source: dict[str, Any] = next(source for source in answer["sources"] if source["cited"])
    return source


async def quoted(account: Account, source: dict[str, Any], **span: int) -> str:
    span = {"start": source["start"], "end": source["end"], **span}
    part = await account.client.get(f"{DOCUMENTS}/{source['document_id']}/text", params=span)
    return str(part.json()["text"])


async def test_the_old_version_answers_until_the_new_one_is_ready_and_stays_readable(alice: Account) -> None:
    document = await ready(alice, "whales.md", WHALES)
    old = await cited(alice)

    accepted = await replace(alice, document["id"], NEWER)

    told = accepted.json()
    assert (accepted.status_code, accepted.headers["location"]) == (202, f"{DOCUMENTS}/{document['id']}")
    assert (told["id"], told["version"], told["live_version"], told["status"]) == (document["id"], 2, 1, "pending")
    assert (told["filename"], told["title"], told["size"]) == ("newer.md", "whales", len(NEWER))
    await at_stage(alice, document["id"], "embedding")
    meanwhile = await cited(alice)
    assert (meanwhile["version"], meanwhile["quote"]) == (1, old["quote"])

    settled = await alice.settled(document["id"])
    new = await cited(alice)
    assert (settled["status"], settled["version"], settled["live_version"]) == ("ready", 2, 2)
    assert (new["version"], "4,800 kilograms" in new["quote"], await quoted(alice, new)) == (2, True, new["quote"])
    assert await quoted(alice, old, version=1) == old["quote"]
    assert (await alice.client.get(f"{DOCUMENTS}/{document['id']}/file")).content == NEWER


async def test_a_new_version_that_fails_or_is_cancelled_leaves_the_old_one_answering(alice: Account) -> None:
    document = (await ready(alice, "whales.md", WHALES))["id"]

    assert (await replace(alice, document, BROKEN, "paper.pdf")).status_code == 202
    failed = await alice.settled(document)
    assert (failed["status"], failed["version"], failed["live_version"]) == ("failed", 2, 1)
    assert (await cited(alice))["version"] == 1

    assert (await replace(alice, document, NEWER)).status_code == 202
    await at_stage(alice, document, "embedding")
    cancelled = await cancel(alice, document)
    assert (cancelled["error"]["code"], cancelled["version"], cancelled["live_version"]) == ("cancelled", 3, 1)
    assert (await cited(alice))["version"] == 1

    assert (await alice.client.post(f"{DOCUMENTS}/{document}/retry")).status_code == 202
    assert (await alice.settled(document))["live_version"] == 3
    assert (await cited(alice))["version"] == 3


async def test_the_same_bytes_are_no_new_version_and_those_of_another_document_are_a_conflict(alice: Account) -> None:
    document = (await ready(alice, "whales.md", WHALES))["id"]
    bread = (await alice.upload("bread.md", OTHER)).json()["id"]

    same = await replace(alice, document, WHALES)
    twin = await replace(alice, document, OTHER)

    assert (same.status_code, same.json()["version"], same.json()["status"]) == (202, 1, "ready")
    assert (twin.status_code, twin.json()["code"], twin.json()["document_id"]) == (409, "document_duplicate", bread)
    assert (await alice.document(document))["version"] == 1


async def test_a_bad_file_is_the_problem_that_it_is_at_an_upload_and_changes_nothing(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    before = await alice.settled(document)
    several = [("files", ("a.md", b"a"))]

    for sent, status, code in (
        ({"file": ("empty.md", b"")}, 422, "document_empty"),
        ({"file": ("virus.exe", b"MZ\x90\x00")}, 415, "document_type_unsupported"),
        ({"data": ("a.md", b"a")}, 422, "upload_invalid"),
        (several, 422, "upload_invalid"),
    ):
        answer = await alice.client.put(f"{DOCUMENTS}/{document}/file", files=sent)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    assert await alice.document(document) == before


async def test_a_title_may_come_with_the_new_version_and_a_key_makes_it_once(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    key = {"Idempotency-Key": "second edition"}

    first = await replace(alice, document, NEWER, data={"title": "Second edition"}, headers=key)
    again = await replace(alice, document, NEWER, data={"title": "Second edition"}, headers=key)
    other = await replace(alice, document, OTHER, headers=key)
    upload = await alice.client.post("/api/v1/chat/upload", files={"file": ("newer.md", OTHER)}, headers=key)

    assert (first.json()["title"], first.json()["version"], again.json()["version"]) == ("Second edition", 2, 2)
    assert (first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")) == (None, "true")
    assert [(each.status_code, each.json()["code"]) for each in (other, upload)] == [(422, "idempotency_key_reused")] * 2


async def test_a_document_that_is_not_there_is_missing_before_the_file_is_read(
    product: Product, alice: Account, bob: Account
) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    async with connected(product.url) as wire:
        await wire.begin(
            "PUT",
            f"{DOCUMENTS}/{document}/file",
            Authorization=f"Bearer {bob.access_token}",
            Content_Type=f"multipart/form-data; boundary={EDGE}",
            Content_Length=50_000_000,
        )
        status, _ = await wire.answer()

    assert status == 404


async def test_a_new_version_may_be_larger_than_other_bodies_and_may_break_off(product: Product, alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    large = b"# Large\n\n" + b"word " * 400_000
    async with connected(product.url) as wire:
        await wire.begin(
            "PUT",
            f"{DOCUMENTS}/{document}/file",
            Authorization=f"Bearer {alice.access_token}",
            Content_Type=f"multipart/form-data; boundary={EDGE}",
            Content_Length=9_000_000,
        )
        await wire.send(body("half.md", large, end=False))
        await asyncio.sleep(0.1)
        wire.leave()
    await asyncio.sleep(0.2)
    assert (await alice.document(document))["version"] == 1

    assert (await replace(alice, document, large)).status_code == 202
    await cancel(alice, document)
