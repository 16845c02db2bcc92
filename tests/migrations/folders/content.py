"""What people do with a product before it is upgraded, over HTTP only: so that any release can be asked to do it."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support.files import WHALES, long_text
from tests.support.product import Account, Product

EXAMPLES = Path(__file__).parents[3] / "examples"
QUESTION = "What do blue whales eat?"
GERMAN = "Die Kündigungsfrist für Wohnungen beträgt drei Monate zum Ende eines Quartals.\n"
DAMAGED = b"%PDF-1.7\nThis is where the file ends."
HALF_READ, WAITING = "half-read.txt", "waiting.txt"

Told = dict[str, Any]


async def used(product: Product) -> Told:
    """Fill a product with accounts, documents and conversations, and return what has to be there ever after."""
    async with product.account("alice") as alice, product.account("bob") as bob:
        for filename, data in (
            ("whales.md", WHALES),
            ("vertrag.txt", GERMAN.encode()),
            ("page.html", b"<h1>Tides</h1><p>The moon raises the tides twice a day.</p>"),
            ("prices.csv", b"article,price\nlantern,12\nrope,7\n"),
            ("handbook.pdf", (EXAMPLES / "handbook.pdf").read_bytes()),
            ("damaged.pdf", DAMAGED),
            ("catalogue.md", long_text(6)),
        ):
            document = (await alice.upload(filename, data)).json()
            await alice.settled(document["id"], within=120)
        await alice.client.delete(f"/api/v1/chat/documents/{(await _named(alice, 'prices.csv'))['id']}")
        replaced = (await _named(alice, "catalogue.md"))["id"]
        await alice.client.put(f"/api/v1/chat/documents/{replaced}/file", files={"file": ("catalogue.md", long_text(8))})
        await alice.settled(replaced, within=120)
        theirs = (await bob.upload("diary.txt", b"The lighthouse of Bob is painted green.")).json()
        await bob.settled(theirs["id"], within=120)

        answer = (await alice.ask(QUESTION)).json()
        session = answer["session_id"]
        await alice.ask("And how far do their calls carry?", session_id=session)
        await alice.client.put(
            f"/api/v1/chat/sessions/{session}/messages/{answer['message_id']}/feedback", json={"rating": "up", "comment": "Right."}
        )
        task = (await alice.client.post("/api/v1/chat/background", json={"query": "Who raises the tides?"})).json()
        await _done(alice, task["id"])
        key = (
            await alice.client.post("/api/v1/auth/keys", json={"name": "a program", "scopes": ["chat", "documents:read"]})
        ).json()
        return {
            "alice": alice.username,
            "bob": bob.username,
            "key": key.get("key"),
            "session": session,
            "task": task["id"],
            "answer": answer,
            "messages": (await alice.client.get(f"/api/v1/chat/sessions/{session}/messages")).json()["items"],
        }


async def listed(account: Account) -> dict[str, dict[str, Any]]:
    """Return the documents of an account by their files' names."""
    page = (await account.client.get("/api/v1/chat/documents", params={"limit": 100})).json()
    return {document["filename"]: document for document in page["items"]}


async def _named(account: Account, filename: str) -> dict[str, Any]:
    return (await listed(account))[filename]


async def _done(account: Account, task_id: str) -> None:
    async with asyncio.timeout(120):
        while True:
            task = (await account.client.get(f"/api/v1/chat/tasks/{task_id}")).json()
            if task["state"] not in {"queued", "running"}:
                assert task["state"] == "succeeded", task
                return
            await asyncio.sleep(0.2)
