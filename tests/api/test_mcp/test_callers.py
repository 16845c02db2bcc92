"""Who calls: tokens, keys with their scopes and their reach, and two people at once."""

import asyncio

import httpx2
import pytest
from mcp import MCPError

from tests.api.test_mcp.agents import agent, call, error, key_of
from tests.support.files import WHALES
from tests.support.product import Account, Product

BREAD = b"# Bread\n\nBread needs flour, water and salt. The oven must be at 240 degrees before the bread goes in.\n"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


NOWHERE = "00000000-0000-7000-8000-000000000000"


async def test_documents_of_somebody_else_do_not_exist(product: Product, bob: Account, whales: str) -> None:
    async with agent(product, bob.access_token) as client:
        assert (await call(client, "list_documents"))["items"] == []
        assert (await call(client, "search_documents", query="blue whales krill"))["passages"] == []
        assert (await call(client, "ask", question="What do blue whales eat?"))["answer_status"] == "no_documents"
        assert (await client.list_resources()).resources == []

        def reading(document_id: str) -> list[tuple[str, dict[str, object]]]:
            return [
                ("read_passage", {"document_id": document_id}),
                ("document_status", {"document_id": document_id, "wait_seconds": 1}),
                ("search_documents", {"query": "whales", "document_ids": [document_id]}),
                ("ask", {"question": "What do whales eat?", "document_ids": [document_id]}),
            ]

        hers, nobodys = [[await error(client, tool, **arguments) for tool, arguments in reading(id_)] for id_ in (whales, NOWHERE)]
        assert hers == nobodys
        assert {said["code"] for said in hers} == {"document_not_found"}


async def test_a_key_lists_what_it_may_call_and_calls_nothing_else(product: Product, alice: Account, whales: str) -> None:
    expected = {
        "chat": {"search_documents", "ask"},
        "documents:read": {"read_passage", "list_documents", "document_status"},
        "documents:write": {"upload_document"},
    }
    arguments: dict[str, dict[str, object]] = {
        "search_documents": {"query": "whales"},
        "ask": {"question": "What do whales eat?"},
        "read_passage": {"document_id": whales},
        "list_documents": {},
        "document_status": {"document_id": whales},
        "upload_document": {"filename": "new.md", "text": "# New"},
    }
    for scope, tools in expected.items():
        async with agent(product, (await key_of(alice, scope))["key"]) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == tools
            for tool, given in arguments.items():
                if tool in tools:
                    await call(client, tool, **given)
                else:
                    assert (await error(client, tool, **given))["code"] == "scope_missing"
            if scope != "documents:read":
                with pytest.raises(MCPError) as refused:
                    await client.list_resources()
                assert refused.value.data == {"code": "scope_missing"}


async def test_a_limited_key_reaches_its_documents_through_every_tool(product: Product, alice: Account, whales: str) -> None:
    bread = (await alice.upload("bread.md", BREAD)).json()["id"]
    assert (await alice.settled(bread))["status"] == "ready"
    key = await key_of(alice, "chat", "documents:read", "documents:write", document_ids=[whales])
    async with agent(product, key["key"]) as client:
        assert "upload_document" not in {tool.name for tool in (await client.list_tools()).tools}
        assert (await error(client, "upload_document", filename="new.md", text="# New"))["code"] == "scope_missing"
        assert [each["id"] for each in (await call(client, "list_documents"))["items"]] == [whales]
        assert len((await client.list_resources()).resources) == 1
        found = (await call(client, "search_documents", query="bread oven degrees"))["passages"]
        assert {passage["document_id"] for passage in found} <= {whales}
        assert (await call(client, "ask", question="How hot must the oven be for bread?"))["answer_status"] == "not_in_documents"
        for tool, arguments in (
            ("read_passage", {"document_id": bread}),
            ("document_status", {"document_id": bread}),
            ("search_documents", {"query": "bread", "document_ids": [whales, bread]}),
            ("ask", {"question": "How hot?", "document_ids": [bread]}),
        ):
            assert (await error(client, tool, **arguments))["code"] == "document_not_found"
        with pytest.raises(MCPError):
            await client.read_resource(f"docent://documents/{bread}")


async def test_a_key_that_is_revoked_is_good_for_nothing_from_then_on(product: Product, alice: Account, whales: str) -> None:
    key = await key_of(alice, "documents:read")
    async with agent(product, key["key"]) as client:
        assert (await call(client, "document_status", document_id=whales))["id"] == whales
        (await alice.client.delete(f"/api/v1/auth/keys/{key['id']}")).raise_for_status()
        with pytest.raises(MCPError):
            await client.call_tool("document_status", {"document_id": whales})


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Bearer dk_nonsense", "Basic YTpi"])
async def test_without_a_good_token_nothing_is_answered(product: Product, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with product.client(**headers) as client:
        response = await client.post("/mcp", json=PING)

    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_twenty_agents_of_two_people_at_once_see_what_is_theirs(
    product: Product, alice: Account, bob: Account, whales: str
) -> None:
    bread = (await bob.upload("bread.md", BREAD)).json()["id"]
    assert (await bob.settled(bread))["status"] == "ready"

    async def work(person: Account, own: str) -> set[str]:
        async with agent(product, person.access_token) as client:
            listed = (await call(client, "list_documents"))["items"]
            found = (await call(client, "search_documents", query="whales and bread"))["passages"]
            answer = await call(client, "ask", question="What do blue whales eat, and how hot is the oven?")
            read = await call(client, "read_passage", document_id=own)
        assert read["text"] == (WHALES if own == whales else BREAD).decode()
        ids = [each["id"] for each in listed]
        return {*ids, *(passage["document_id"] for passage in found), *(source["document_id"] for source in answer["sources"])}

    people = [(alice, whales), (bob, bread)] * 10
    seen = await asyncio.gather(*(work(person, own) for person, own in people))

    assert seen == [{own} for _, own in people]


async def test_pages_of_other_origins_are_refused(product: Product, token: str) -> None:
    async with product.client(Authorization=f"Bearer {token}", Origin="https://rebound.example") as client:
        response: httpx2.Response = await client.post("/mcp", json=PING)

    assert (response.status_code, response.json()["code"]) == (403, "origin_refused")
