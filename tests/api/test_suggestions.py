"""Questions to begin with, and lists of documents that are narrowed, as callers meet them."""

from tests.api.test_chat import with_whales
from tests.api.test_limited_keys import BREAD
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product

SUGGESTIONS = "/api/v1/chat/suggestions"
DOCUMENTS = "/api/v1/chat/documents"


async def test_suggestions_come_of_ready_documents_and_of_those_that_a_key_reaches(
    alice: Account, product: Product, ollama: StandInOllama
) -> None:
    assert (await alice.client.get(SUGGESTIONS)).json() == {"items": []}
    whales = await with_whales(alice)
    bread = (await alice.upload("bread.md", BREAD)).json()["id"]
    await alice.settled(bread)
    asked = len(ollama.requests)

    response = await alice.client.get(SUGGESTIONS)
    items = response.json()["items"]
    assert (response.status_code, len(ollama.requests)) == (200, asked)
    assert [item["document_id"] for item in items[:2]] == [bread, whales]
    assert all(item["question"].endswith("?") for item in items)
    assert len((await alice.client.get(SUGGESTIONS, params={"limit": 1})).json()["items"]) == 1
    only = (await alice.client.get(SUGGESTIONS, params={"document_ids": [whales]})).json()["items"]
    assert {item["document_id"] for item in only} == {whales}
    for bad in ({"limit": 0}, {"limit": 11}, {"document_ids": "x"}, {"session_id": "x"}):
        assert (await alice.client.get(SUGGESTIONS, params=bad)).json()["code"] == "request_invalid", bad

    key = (await alice.client.post("/api/v1/auth/keys", json={"name": "k", "scopes": ["chat"], "document_ids": [whales]})).json()[
        "key"
    ]
    async with product.client(Authorization=f"Bearer {key}") as client:
        assert {item["document_id"] for item in (await client.get(SUGGESTIONS)).json()["items"]} == {whales}
        refused = await client.get(SUGGESTIONS, params={"document_ids": [bread]})
        assert (refused.status_code, refused.json()["code"]) == (404, "document_not_found")


async def test_documents_are_listed_by_name_and_by_state(alice: Account, bob: Account) -> None:
    whales = await with_whales(alice)
    bread = (await alice.upload("100%_bread.md", BREAD, title="Übung")).json()["id"]
    await alice.settled(bread)
    broken = (await alice.upload("broken.pdf", b"%PDF-1.7 nothing")).json()["id"]
    await alice.settled(broken)

    for params, found in (
        ({"q": "WHALES"}, [whales]),
        ({"q": "100%_"}, [bread]),
        ({"q": "übung"}, [bread]),
        ({"q": "_"}, [bread]),
        ({"status": ["ready"]}, [bread, whales]),
        ({"status": ["failed", "pending"]}, [broken]),
        ({"q": "bread", "status": ["failed"]}, []),
    ):
        listed = (await alice.client.get(DOCUMENTS, params=params)).raise_for_status().json()
        assert [document["id"] for document in listed["items"]] == found, params
    first = (await alice.client.get(DOCUMENTS, params={"status": "ready", "limit": 1})).json()
    rest = (await alice.client.get(DOCUMENTS, params={"status": "ready", "limit": 1, "cursor": first["next_cursor"]})).json()
    assert [document["id"] for document in rest["items"]] == [whales]
    assert (await bob.client.get(DOCUMENTS, params={"q": "whales"})).json()["items"] == []
    for bad in ({"q": " "}, {"status": "lost"}):
        assert (await alice.client.get(DOCUMENTS, params=bad)).json()["code"] == "request_invalid", bad
