"""What agents can do: the tools, the resources and the prompt, in both ways in which clients begin."""

import base64

import pytest
from mcp import MCPError

from tests.api.test_mcp.agents import ERAS, agent, call, error
from tests.documents.writers.pdfs import PAGES, several_pages
from tests.support.files import WHALES
from tests.support.product import Account, Product

READ_ONLY = {"search_documents", "read_passage", "list_documents", "document_status"}
NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("mode", ERAS)
async def test_from_a_file_to_a_citation_that_can_be_checked(product: Product, alice: Account, mode: str) -> None:
    async with agent(product, alice.access_token, mode=mode) as client:
        accepted = await call(client, "upload_document", filename="notes/whales.md", text=WHALES.decode(), title="On whales")
        document = await call(client, "document_status", document_id=accepted["id"], wait_seconds=60)
        assert (document["status"], document["title"], document["filename"]) == ("ready", "On whales", "whales.md")

        [passage, *_] = (await call(client, "search_documents", query="What do blue whales eat?"))["passages"]
        stored = (await alice.client.get(f"/api/v1/chat/documents/{document['id']}/text")).json()["text"]
        assert passage["text"] == stored[passage["start"] : passage["end"]]
        place = {name: passage[name] for name in ("document_id", "start", "end", "version")}
        assert (await call(client, "read_passage", **place))["text"] == passage["text"]

        heard: list[float] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            assert message
            heard.append(progress)

        question = {"question": "How many kilograms of krill do blue whales eat?"}
        answer = (await client.call_tool("ask", question, progress_callback=hear)).structured_content
        assert (answer["status"], answer["answer_status"]) == ("complete", "grounded")
        cited = next(source for source in answer["sources"] if source["cited"])
        assert cited["quote"] == stored[cited["start"] : cited["end"]]
        assert heard == sorted(set(heard))
        assert len(heard) >= 2
        follow_up = await call(client, "ask", question="And their voice?", session_id=answer["session_id"], strict=True)
        assert follow_up["session_id"] == answer["session_id"]


async def test_tools_say_what_they_take_what_they_give_and_what_they_do(product: Product, token: str) -> None:
    async with agent(product, token) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert {name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint} == READ_ONLY
    assert set(tools) - READ_ONLY == {"upload_document", "ask"}
    for tool in tools.values():
        assert tool.title
        assert tool.description
        assert tool.output_schema is not None
        assert tool.input_schema["additionalProperties"] is False


async def test_pages_are_read_and_numbered_and_other_bytes_come_as_base64(product: Product, token: str) -> None:
    async with agent(product, token) as client:
        content = base64.b64encode(several_pages().data).decode()
        document = await call(client, "upload_document", filename="log.pdf", content_base64=content)
        ready = await call(client, "document_status", document_id=document["id"], wait_seconds=60)
        assert (ready["status"], ready["pages"], ready["media_type"]) == ("ready", len(PAGES), "application/pdf")
        second = await call(client, "read_passage", document_id=document["id"], page=2)
        assert (second["page"], PAGES[1] in second["text"], PAGES[0] in second["text"]) == (2, True, False)
        rest = await call(client, "read_passage", document_id=document["id"], start=second["start"])
        assert (rest["page"], rest["end"]) == (2, rest["length"])
        assert (await error(client, "read_passage", document_id=document["id"], page=9))["code"] == "document_not_found"


async def test_lists_are_read_part_by_part(product: Product, alice: Account) -> None:
    made = [(await alice.upload(f"{number}.md", b"# %d" % number)).json()["id"] for number in range(3)]
    async with agent(product, alice.access_token) as client:
        first = await call(client, "list_documents", limit=2)
        second = await call(client, "list_documents", limit=2, cursor=first["next_cursor"])

        assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]
        assert second["next_cursor"] is None
        assert (await error(client, "list_documents", cursor="nonsense"))["code"] == "cursor_invalid"


async def test_documents_are_resources_and_the_prompt_asks_for_citations(product: Product, token: str, whales: str) -> None:
    async with agent(product, token) as client:
        [listed] = (await client.list_resources()).resources
        [content] = (await client.read_resource(listed.uri)).contents
        [template] = (await client.list_resource_templates()).resource_templates
        prompt = await client.get_prompt("answer_with_citations", {"question": "What do whales eat?"})
        for address in (f"docent://documents/{NOWHERE}", "docent://documents/x", "file:///etc/passwd"):
            with pytest.raises(MCPError) as refused:
                await client.read_resource(address)
            assert (refused.value.code, refused.value.data) == (-32602, {"code": "document_not_found"})
        with pytest.raises(MCPError, match="no such prompt"):
            await client.get_prompt("nothing", {"question": "Why?"})

    assert listed.uri == template.uri_template.replace("{document_id}", whales)
    assert getattr(content, "text", None) == WHALES.decode()
    assert "What do whales eat?" in str(prompt.messages[0].content)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("read_passage", {"document_id": "1"}),
        ("read_passage", {"document_id": NOWHERE, "start": 9, "end": 1}),
        ("read_passage", {"document_id": NOWHERE, "start": 2**40}),
        ("read_passage", {"document_id": NOWHERE, "page": 1, "start": 1}),
        ("search_documents", {"query": "a\x00b"}),
        ("search_documents", {"query": " "}),
        ("search_documents", {"query": "whales", "limit": 51}),
        ("search_documents", {"query": "whales", "misspelt": 1}),
        ("search_documents", {}),
        ("upload_document", {"filename": "a.md"}),
        ("upload_document", {"filename": "a.md", "text": "a", "content_base64": "YQ=="}),
        ("document_status", {"document_id": NOWHERE, "wait_seconds": 3600}),
        ("ask", {"question": "Why?", "document_ids": []}),
    ],
)
async def test_arguments_that_are_not_valid_are_an_error_that_the_model_can_read(
    product: Product, token: str, tool: str, arguments: dict[str, object]
) -> None:
    async with agent(product, token) as client:
        said = await error(client, tool, **arguments)

    assert said["code"] == "request_invalid"
    assert said["message"].startswith("The arguments are not valid: ")


async def test_what_fails_says_why_with_the_codes_of_the_api(product: Product, token: str, whales: str) -> None:
    async with agent(product, token) as client:
        again = await error(client, "upload_document", filename="again.md", text=WHALES.decode())
        assert (again["code"], again["document_id"]) == ("document_duplicate", whales)
        assert (await error(client, "upload_document", filename="a.md", text=""))["code"] == "document_empty"
        assert (await error(client, "upload_document", filename="a.md", content_base64="?"))["code"] == "upload_invalid"
        assert (await error(client, "upload_document", filename="a.exe", content_base64="TVqQAAM="))["code"] == (
            "document_type_unsupported"
        )
        assert (await error(client, "ask", question="Why?", session_id=NOWHERE))["code"] == "session_not_found"
        with pytest.raises(MCPError, match="no such tool"):
            await client.call_tool("delete_everything", {})
