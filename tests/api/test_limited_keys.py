"""A key that reaches some documents only: for a program that is to know no more than it needs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest

from tests.support.files import WHALES
from tests.support.product import Account, Product

BREAD = b"# Bread\n\nBread needs flour, water and salt. The oven must be at 240 degrees before the bread goes in.\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """Two documents, and a client whose key reaches the first one."""

    client: httpx2.AsyncClient
    near: str
    far: str


@pytest.fixture
async def scene(product: Product, alice: Account) -> AsyncIterator[Scene]:
    ids = []
    for name, data in (("whales.md", WHALES), ("bread.md", BREAD)):
        document = (await alice.upload(name, data)).json()
        assert (await alice.settled(document["id"]))["status"] == "ready"
        ids.append(document["id"])
    body = {"name": "narrow", "scopes": ["chat", "documents:read", "documents:write"], "document_ids": ids[:1]}
    key = (await alice.client.post("/api/v1/auth/keys", json=body)).json()["key"]
    async with product.client(Authorization=f"Bearer {key}") as client:
        yield Scene(client, *ids)


async def test_it_sees_its_documents_and_no_others(scene: Scene) -> None:
    listed = (await scene.client.get("/api/v1/chat/documents")).json()["items"]
    assert [document["id"] for document in listed] == [scene.near]
    assert (await scene.client.get(f"/api/v1/chat/documents/{scene.near}")).status_code == 200
    for method, path in (("GET", ""), ("GET", "/text"), ("GET", "/file"), ("PATCH", ""), ("DELETE", "")):
        body = {"title": "mine"} if method == "PATCH" else None
        response = await scene.client.request(method, f"/api/v1/chat/documents/{scene.far}{path}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "document_not_found")
    for field in ("file", "files"):
        upload = await scene.client.post("/api/v1/chat/upload", files={field: ("new.md", b"# new")})
        assert (upload.status_code, upload.json()["code"]) == (403, "scope_missing")


async def test_it_replaces_watches_and_steers_its_documents_and_no_others(scene: Scene, alice: Account) -> None:
    async def replace(document: str, data: bytes) -> httpx2.Response:
        return await scene.client.put(f"/api/v1/chat/documents/{document}/file", files={"file": ("new.md", data)})

    for method, path in (("GET", "events"), ("POST", "retry"), ("POST", "cancel")):
        far = await scene.client.request(method, f"/api/v1/chat/documents/{scene.far}/{path}")
        near = await scene.client.request(method, f"/api/v1/chat/documents/{scene.near}/{path}")
        assert (far.status_code, far.json()["code"]) == (404, "document_not_found")
        assert near.status_code == (200 if method == "GET" else 409)
    refused = await replace(scene.far, b"# new")
    assert (refused.status_code, refused.json()["code"]) == (404, "document_not_found")
    accepted = await replace(scene.near, b"# Whales again\n\nWhales sing.\n")
    assert (accepted.status_code, accepted.json()["version"]) == (202, 2)

    twin = await replace(scene.near, BREAD)
    assert (twin.status_code, twin.json()["code"]) == (409, "document_duplicate")
    assert "document_id" not in twin.json(), "that one does not exist for this key"
    hers = await alice.client.put(f"/api/v1/chat/documents/{scene.near}/file", files={"file": ("new.md", BREAD)})
    assert hers.json()["document_id"] == scene.far


async def test_its_answers_come_from_its_documents(scene: Scene) -> None:
    async def ask(**fields: object) -> httpx2.Response:
        return await scene.client.post("/api/v1/chat/query", json=fields)

    whales = (await ask(query="How many kilograms of krill do blue whales eat?")).json()
    assert (whales["answer_status"], {source["document_id"] for source in whales["sources"]}) == ("grounded", {scene.near})
    bread = (await ask(query="How hot must the oven be for bread?")).json()
    assert bread["answer_status"] == "not_in_documents"
    refused = await ask(query="How hot must the oven be for bread?", document_ids=[scene.near, scene.far])
    assert (refused.status_code, refused.json()["code"]) == (404, "document_not_found")


async def test_it_sees_its_own_conversations_only(scene: Scene, alice: Account) -> None:
    hers = (await alice.ask("How hot must the oven be for bread?")).json()["session_id"]
    its = (await scene.client.post("/api/v1/chat/query", json={"query": "What do blue whales eat?"})).json()["session_id"]

    listed = (await scene.client.get("/api/v1/chat/sessions")).json()["items"]
    assert [session["id"] for session in listed] == [its]
    for method, path in (("GET", ""), ("GET", "/messages"), ("PATCH", ""), ("DELETE", "")):
        body = {"title": "mine"} if method == "PATCH" else None
        response = await scene.client.request(method, f"/api/v1/chat/sessions/{hers}{path}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")
    continued = await scene.client.post("/api/v1/chat/query", json={"query": "And then?", "session_id": hers})
    assert continued.json()["code"] == "session_not_found"
    assert {session["id"] for session in (await alice.client.get("/api/v1/chat/sessions")).json()["items"]} == {hers, its}
