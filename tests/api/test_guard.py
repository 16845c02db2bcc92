"""The bounds of requests and the headers of answers, over the running product."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.product import Account, Product
from tests.support.web_server import WebServer


def problem(response: httpx2.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["request_id"] == response.headers["x-request-id"]
    return response.status_code, body["code"]


async def test_a_body_over_the_limit_is_refused_announced_or_not(alice: Account) -> None:
    body = b'{"query": "' + b"a" * 1_048_576 + b'"}'

    async def unannounced() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    contents: tuple[bytes | AsyncIterator[bytes], ...] = (body, unannounced())
    for content in contents:
        response = await alice.client.post("/api/v1/chat/query", content=content, headers={"Content-Type": "application/json"})
        assert problem(response) == (413, "request_too_large")

    assert (await alice.client.get("/health")).status_code == 200


async def test_an_upload_is_bounded_by_its_own_limit_only(alice: Account) -> None:
    assert (await alice.upload("large.md", b"word " * 300_000)).status_code == 202
    assert problem(await alice.upload("larger.md", b"word " * 500_000)) == (413, "document_too_large")


async def test_long_addresses_and_headers_are_refused(product: Product) -> None:
    async with product.client() as client:
        assert problem(await client.get("/health", params={"a": "a" * 8192})) == (414, "target_too_long")
        assert problem(await client.get("/health", headers={"X-A": "a" * 16_384})) == (431, "headers_too_large")
        assert problem(await client.get("/health", headers={f"X-{n}": "a" for n in range(100)})) == (431, "headers_too_large")


@pytest.mark.parametrize("path", ["/health", "/docs", "/nowhere", "/api/v1/auth/me", "/health?" + "a" * 9000])
async def test_every_answer_carries_the_headers_of_security(product: Product, path: str) -> None:
    async with product.client() as client:
        headers = (await client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "permissions-policy" in headers
    assert "server" not in headers
    assert "strict-transport-security" not in headers
    assert (headers.get("cache-control") == "no-store") == path.startswith("/api/")


async def test_the_pages_of_the_description_may_load_their_scripts_and_data_may_load_nothing(product: Product) -> None:
    async with product.client() as client:
        page = (await client.get("/docs")).headers["content-security-policy"]
        data = (await client.get("/openapi.json")).headers["content-security-policy"]

    assert ("script-src" in page, "default-src" in page) == (False, False)
    assert "default-src 'none'" in data


async def test_a_download_keeps_its_sandbox(alice: Account) -> None:
    document = (await alice.upload("a.html", b"<p>hello</p>")).json()

    headers = (await alice.client.get(f"/api/v1/chat/documents/{document['id']}/file")).headers

    assert headers["content-security-policy"].startswith("sandbox")
    assert headers["cache-control"] == "no-store"


async def test_the_product_closes_the_connection_of_headers_without_an_end(product: Product) -> None:
    server = WebServer(int(product.url.rpartition(":")[2]))

    exchange = await server.send(b"GET /health HTTP/1.1\r\nX-A: ", *([b"a" * 50_000] * 3))

    assert (exchange.closed, exchange.statuses) == (True, [])
