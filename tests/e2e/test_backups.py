"""``docent backup`` and ``docent restore``, as an operator types them, beside a product that is busy."""

import asyncio
import json
import os
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.files import WHALES, long_text
from tests.support.product import PASSWORD, Account, Product, Reachable, run_docent, running_product

QUESTIONS = ("What do blue whales eat?", "What was catalogued about subject 17?", "How far do their calls carry?")


OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


@dataclass(slots=True)
class Busy:
    """Somebody who uploads and deletes without a pause."""

    account: Account
    uploads: int = 0
    warm: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Go on until cancelled."""
        while True:
            self.uploads += 1
            text = f"Note {self.uploads} of the busy one.\n\n".encode() + long_text(6, f"note {self.uploads}, matter")
            document = (await self.account.upload(f"note-{self.uploads}.md", text)).json()
            if self.uploads % 3 == 0:
                await self.account.client.delete(f"/api/v1/chat/documents/{document['id']}")
                self.warm.set()


@asynccontextmanager
async def working(account: Account) -> AsyncIterator[Busy]:
    """Keep an account busy within the block."""
    somebody = Busy(account)
    task = asyncio.create_task(somebody.work())
    try:
        await asyncio.wait_for(somebody.warm.wait(), 30)
        yield somebody
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def documents_of(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await account.client.get("/api/v1/chat/documents", params={"limit": 100, **cursor})).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def seen_by(account: Account) -> dict[str, Any]:
    """Return what somebody has: account, documents, files, conversations, and answers to questions."""
    documents = await documents_of(account)
    files = [(await account.client.get(f"/api/v1/chat/documents/{d['id']}/file")).content for d in documents]
    sessions = (await account.client.get("/api/v1/chat/sessions")).json()
    messages = [(await account.client.get(f"/api/v1/chat/sessions/{s['id']}/messages")).json() for s in sessions["items"]]
    return {
        "me": (await account.client.get("/api/v1/auth/me")).json(),
        "documents": documents,
        "files": files,
        "sessions": sessions,
        "messages": messages,
    }


async def answers(account: Account) -> list[Any]:
    """Return what is answered, with the places that it is quoted from."""
    found = [(await account.ask(question)).json() for question in QUESTIONS]
    places = ("marker", "document_id", "page", "start", "end", "quote", "cited")
    return [(a["answer"], a["answer_status"], [[s[name] for name in places] for s in a["sources"]]) for a in found]


async def moved(account: Account, product: Product) -> None:
    """Aim an account's client at another product, with the token that it has, and see that the password is good there, too."""
    account.client.base_url = product.url
    body = {"username": account.username, "password": PASSWORD}
    (await account.client.post("/api/v1/auth/login", json=body)).raise_for_status()


@pytest.mark.timeout(600)
async def test_a_backup_under_load_restored_elsewhere_gives_the_same_answers(tmp_path: Path) -> None:
    (_, *backup), (setting, _, *restore), _ = written_commands()
    assert setting == "DATA_DIR=elsewhere"
    file, elsewhere = tmp_path / backup[1], tmp_path / "elsewhere"
    async with (
        running_product(tmp_path / "data", embedder="hashing") as product,
        product.account("alice") as alice,
        product.account("busy") as other,
    ):
        for name, data in (("whales.md", WHALES), ("subjects.md", long_text(40))):
            document = (await alice.upload(name, data)).json()
            assert (await alice.settled(document["id"]))["status"] == "ready"
        answered = await answers(alice)
        before = await seen_by(alice)

        async with working(other) as somebody:
            uploads = somebody.uploads
            assert said(await run_docent(product, *backup)).startswith("Backed up 2 accounts, ")
            assert somebody.uploads > uploads
        assert "is using the data folder" in said(await run_docent(product, *restore), code=1)

        there = {"DATA_DIR": str(elsewhere)}
        assert said(await run_docent(product, *restore, **there)).startswith("Restored 2 accounts, ")
        lost = next(path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file())
        lost.unlink()
        incomplete = said(await run_docent(product, "backup", "incomplete.tar", "--without-vectors"), code=3)
        assert "1 files were missing" in incomplete
        assert lost.name in incomplete
        assert json.loads(_manifest(tmp_path / "incomplete.tar"))["missing"] == [str(lost.relative_to(tmp_path / "data" / "files"))]
        await product.stop()

        async with running_product(elsewhere, embedder="hashing") as restored:
            for account in (alice, other):
                await moved(account, restored)
            assert await seen_by(alice) == before
            assert await answers(alice) == answered
            notes = await documents_of(other)
            assert len(notes) >= uploads - uploads // 3 - 1
            for document in notes:
                assert document["error"] is None
                response = await other.client.get(f"/api/v1/chat/documents/{document['id']}/file")
                assert response.content.startswith(b"Note "), response.text
    assert json.loads(_manifest(file))["missing"] == []


def said(done: tuple[int, str], *, code: int = 0) -> str:
    """Return what a command printed, once it is known that it ended as it should."""
    assert done[0] == code, done[1]
    assert "Traceback" not in done[1]
    return done[1]


def written_commands() -> list[list[str]]:
    """Return the commands of the chapter on backups, word by word."""
    block = OPERATIONS.partition("<!-- backup -->\n```bash\n")[2].partition("```")[0]
    return [line.split() for line in block.splitlines()]


def _manifest(file: Path) -> bytes:
    with tarfile.open(file) as tar:
        found = tar.extractfile("manifest.json")
        assert found is not None
        return found.read()


async def test_a_folder_without_docent_has_nothing_to_back_up_and_stays_as_it_is(tmp_path: Path) -> None:
    product = Reachable("", {"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path / "data")})
    assert "There is nothing to back up" in said(await run_docent(product, "backup", "backup.tar"), code=1)
    assert os.listdir(tmp_path) == []
    (tmp_path / "backup.tar").write_bytes(b"not a backup")
    assert "not a backup of Docent" in said(await run_docent(product, "restore", "backup.tar"), code=1)
    assert os.listdir(tmp_path) == ["backup.tar"]
