"""The export of an account, over a socket."""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from time import monotonic

import pytest

from tests.api.test_accounts import a_key
from tests.support.files import WHALES
from tests.support.product import PASSWORD, Account, Product, running_product

EXPORT = "/api/v1/auth/me/export"
LARGE = 48_000_000


async def exported(account: Account) -> zipfile.ZipFile:
    response = await account.client.get(EXPORT)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["cache-control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    return archive


async def furnished(account: Account, word: str, filename: str) -> tuple[str, str]:
    """Give somebody a document and a conversation in which a word is; return their ids."""
    uploaded = (await account.upload(filename, WHALES + f"The secret word is {word}.".encode())).json()
    assert (await account.settled(uploaded["id"]))["status"] == "ready"
    answer = (await account.ask(f"What is the secret word, is it {word}?")).json()
    await a_key(account, name=f"key of {word}")
    return uploaded["id"], answer["session_id"]


async def test_everything_of_hers_and_nothing_of_anybody_elses_is_in_it(product: Product, alice: Account, bob: Account) -> None:
    document_id, session_id = await furnished(alice, "heliotrope", "🐳 wäl.md")
    others = await furnished(bob, "obsidian", "bob.md")

    archive = await exported(alice)

    folder = f"documents/{document_id}"
    assert set(archive.namelist()) == {
        *("README.txt", "profile.json", "documents.json", "tasks.json", "keys.json", "sign-ins.json", "usage.json", "audit.json"),
        *(f"{folder}/🐳 wäl.md", f"{folder}/text.txt", f"sessions/{session_id}.json", f"sessions/{session_id}.md"),
    }
    files = {name: archive.read(name) for name in archive.namelist()}
    assert files[f"{folder}/🐳 wäl.md"] == WHALES + b"The secret word is heliotrope."
    [document] = json.loads(files["documents.json"])
    assert (document["file"], document["status"]) == (f"{folder}/🐳 wäl.md", "ready")
    session = json.loads(files[f"sessions/{session_id}.json"])
    question, answer = session["messages"]
    text = files[f"{folder}/text.txt"].decode()
    assert "heliotrope" in question["content"]
    assert answer["sources"]
    assert all(text[source["start"] : source["end"]] == source["quote"] for source in answer["sources"])
    assert "heliotrope" in files[f"sessions/{session_id}.md"].decode()
    assert json.loads(files["profile.json"])["username"] == alice.username
    assert [key["name"] for key in json.loads(files["keys.json"])] == ["key of heliotrope"]
    assert len(json.loads(files["sign-ins.json"])) == 1
    assert json.loads(files["usage.json"])[0]["questions"] == 1
    events = ["account_exported", "key_created", "signed_in", "account_registered"]
    assert [event["kind"] for event in json.loads(files["audit.json"])] == events
    everything = b"\n".join([*files.values(), *(name.encode() for name in files)])
    for hidden in (b"obsidian", bob.username.encode(), others[0].encode(), others[1].encode(), b"argon2", b'hash"', b"blob"):
        assert hidden not in everything


async def test_a_key_gets_no_export_and_a_new_account_gets_a_small_one(product: Product, alice: Account) -> None:
    key = await a_key(alice, scopes=["chat", "documents:read", "documents:write"])
    async with product.client(Authorization=f"Bearer {key['key']}") as client:
        assert (await client.get(EXPORT)).json()["code"] == "scope_missing"
    async with product.client() as client:
        assert (await client.get(EXPORT)).json()["code"] == "token_invalid"
    archive = await exported(alice)
    assert json.loads(archive.read("documents.json")) == json.loads(archive.read("usage.json")) == []


async def test_what_an_administrator_did_does_not_tell_who_that_was_or_from_where(product: Product, alice: Account) -> None:
    wrong = {"username": alice.username, "password": f"{PASSWORD}, not"}
    async with product.client() as client:
        await client.post("/api/v1/auth/login", json=wrong)
    events = json.loads((await exported(alice)).read("audit.json"))
    assert [(event["kind"], event["by"]) for event in events[:3]] == [
        ("account_exported", "you"),
        ("sign_in_failed", "nobody who is known"),
        ("signed_in", "you"),
    ]
    assert not {"actor_id", "subject_id"} & set(events[0])


@pytest.mark.timeout(600)
async def test_one_export_at_a_time_in_bounded_memory_and_a_reader_who_leaves_ends_it(tmp_path: Path) -> None:
    async with (
        running_product(tmp_path / "data", limits_enabled=True, embedder="hashing") as product,
        product.account("carol") as carol,
    ):
        # Not text, so nothing indexes it for minutes.
        large = b"%PDF-1.7\n" + bytes(range(256)) * (LARGE // 256)
        document = (await carol.upload("large.pdf", large)).json()
        await carol.settled(document["id"])

        async with carol.client.stream("GET", EXPORT) as response:
            assert response.status_code == 200
            pieces = response.aiter_bytes()
            await anext(pieces)
            refused = await carol.client.get(EXPORT)
            assert (refused.status_code, refused.json()["limit"]) == (429, "running_exports")
            before = peak(product)
        await until_the_place_is_free(carol, within=30)  # The reader left in the middle.
        archive = await exported(carol)
        assert archive.read(f"documents/{document['id']}/large.pdf") == large
        assert peak(product) - before < LARGE / 2


async def until_the_place_is_free(account: Account, *, within: float) -> None:
    deadline = monotonic() + within
    while True:
        async with account.client.stream("GET", EXPORT) as response:
            if response.status_code == 200:
                await response.aread()
                return
        assert monotonic() < deadline, "an export is still running, though nobody reads it"
        await asyncio.sleep(0.1)


def peak(product: Product) -> int:
    """Return the most memory that the server has ever used, in bytes."""
    status = Path(f"/proc/{product.process.pid}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
