"""Agents: the official client with somebody's token."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from tests.support.product import Account, Product

ERAS = ("auto", "legacy")
"""How the client begins: it finds out which version the server speaks, or shakes hands as it was done before 2026-07-28."""


@asynccontextmanager
async def agent(product: Product, token: str, *, mode: str = "auto", path: str = "/mcp") -> AsyncIterator[Client]:
    """Connect with a token."""
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=90) as http:
        transport = streamable_http_client(product.url + path, http_client=http)
        async with Client(transport, mode=mode, cache=None) as client:
            yield client


async def key_of(account: Account, *scopes: str, document_ids: list[str] | None = None) -> dict[str, Any]:
    """Make a key."""
    body = {"name": "agent", "scopes": scopes, "document_ids": document_ids}
    made: dict[str, Any] = (await account.client.post("/api/v1/auth/keys", json=body)).raise_for_status().json()
    return made


async def call(client: Client, tool: str, **arguments: object) -> Any:
    """Call a tool and return its result, which the client has compared with the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert json.loads(text_of(result)) == result.structured_content
    return result.structured_content


async def error(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """Call a tool that fails, and return what it says."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    assert result.structured_content is None
    said: dict[str, Any] = json.loads(text_of(result))
    return said


def text_of(result: CallToolResult) -> str:
    """Return the only text of a result."""
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text
