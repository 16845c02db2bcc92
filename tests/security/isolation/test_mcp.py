"""Agents see what is theirs: every tool and every place for an id in its arguments, found in the tools' own schemas."""

from collections.abc import AsyncIterator, Iterator
from secrets import token_hex
from typing import Any

import httpx2
import pytest

from tests.security.isolation.description import operations
from tests.security.isolation.requests import REQUEST_ID, alike, as_bytes
from tests.security.isolation.rows import QUESTION
from tests.security.isolation.world import CREDENTIALS, Person, behind_the_walls, known_to_others, never_existed, newcomer, rows_of
from tests.support.product import Product

ARGUMENTS: dict[str, dict[str, Any]] = {
    "search_documents": {"query": QUESTION},
    "read_passage": {},
    "list_documents": {},
    "upload_document": {"filename": "mine.txt", "text": "Nothing to hide here, says the agent."},
    "document_status": {},
    "ask": {"question": QUESTION},
}
PLACES = {
    "search_documents body.document_ids[]": "document",
    "read_passage body.document_id": "document",
    "list_documents body.cursor": "cursor:document",
    "document_status body.document_id": "document",
    "ask body.document_ids[]": "document",
    "ask body.session_id": "session",
}


@pytest.fixture
async def dora(product: Product) -> AsyncIterator[Person]:
    """Somebody whose document, conversation and names hold a secret."""
    secret = token_hex(16)
    async with newcomer(product, f"dora{secret}") as someone:
        account, text = someone.account, f"Behind the seventh stair the keeper of the lighthouse hides the word {secret}."
        document = (await account.upload(f"{secret}.txt", text.encode(), title=f"Secrets {secret}")).json()
        assert (await account.settled(document["id"]))["status"] == "ready"
        answer = (await account.ask(QUESTION)).json()
        assert secret in answer["answer"]
        someone.things |= {
            "secret": secret,
            "user": (await account.client.get("/api/v1/auth/me")).json()["id"],
            "document": document["id"],
            "cursor:document": (document["created_at"], document["id"]),
            "session": answer["session_id"],
            "answer": answer["message_id"],
        }
        yield someone


async def send(client: httpx2.AsyncClient, method: str, **params: object) -> httpx2.Response:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await client.post("/mcp", json=message, headers={"X-Request-ID": REQUEST_ID})


async def places(client: httpx2.AsyncClient) -> set[str]:
    """Return every place for an id in the arguments of every tool."""
    tools = (await send(client, "tools/list")).json()["result"]["tools"]
    assert {tool["name"] for tool in tools} == set(ARGUMENTS), "say how a new tool is called"
    content = {tool["name"]: {"application/json": {"schema": tool["inputSchema"]}} for tool in tools}
    paths = {f"/{name}": {"post": {"operationId": name, "requestBody": {"content": each}}} for name, each in content.items()}
    found = operations({"paths": paths, "components": {"schemas": {}}}).values()
    return {f"{tool.id} {position}" for tool in found for position in tool.positions}


def with_ids(thing: Any, kind: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield arguments with an id of hers, and with one that never existed."""
    for id_ in (known_to_others(kind, thing), never_existed(kind, thing)):
        yield {name.removesuffix("[]"): [id_] if name.endswith("[]") else id_}


async def test_no_tool_tells_an_id_of_somebody_elses_from_one_that_never_existed(
    product: Product, bob: Person, dora: Person
) -> None:
    assert await places(bob.account.client) == set(PLACES)
    secret, received, findings = dora.things["secret"], [], []
    async with behind_the_walls(product) as database:
        stored = await rows_of(database, dora.id)
        for credential in CREDENTIALS:
            client = bob.clients[credential]
            for place, kind in PLACES.items():
                tool, _, name = place.replace("body.", "").partition(" ")
                answers = [
                    await send(client, "tools/call", name=tool, arguments={**ARGUMENTS[tool], **ids})
                    for ids in with_ids(dora.things[kind], kind, name)
                ]
                received += answers
                failed = answers[0].json()["result"].get("isError", False)
                if alike(answers[0], made=False) != alike(answers[1], made=False) or failed != (kind != "cursor:document"):
                    findings.append(f"{place} by {credential}: {answers[0].text} and {answers[1].text}")
            documents = [f"docent://documents/{ids['id']}" for ids in with_ids(dora.things["document"], "document", "id")]
            hers, nobodys = [await send(client, "resources/read", uri=uri) for uri in documents]
            received += [hers, nobodys]
            if alike(hers, made=False) != alike(nobodys, made=False) or "document_not_found" not in hers.text:
                findings.append(f"resource by {credential}: {hers.text} and {nobodys.text}")
            for tool in ("search_documents", "list_documents", "ask"):
                received.append(await send(client, "tools/call", name=tool, arguments=ARGUMENTS[tool]))
            received.append(await send(client, "resources/list"))
        assert await rows_of(database, dora.id) == stored

    assert findings == []
    everything = b"\n".join(map(as_bytes, received))
    assert secret.encode() not in everything
    assert [kind for kind in ("document", "session", "user") if dora.things[kind].encode() in everything] == []
    assert [line for line in product.lines if secret in line] == []


async def test_the_same_calls_tell_her_what_is_hers(dora: Person) -> None:
    client = dora.account.client
    for place, kind in PLACES.items():
        tool, _, name = place.replace("body.", "").partition(" ")
        ids = next(with_ids(dora.things[kind], kind, name))
        result = (await send(client, "tools/call", name=tool, arguments={**ARGUMENTS[tool], **ids})).json()["result"]
        assert not result.get("isError"), (place, result)
        # Nothing of hers comes after the newest of her documents.
        assert (dora.things["secret"] in str(result)) == (kind != "cursor:document"), (place, result)
