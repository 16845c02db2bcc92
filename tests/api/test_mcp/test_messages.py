"""What is sent to the door, whole and broken: no message makes the server fail."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.support.product import Account, Product

MODERN = {"MCP-Protocol-Version": "2026-07-28", "Accept": "application/json, text/event-stream"}
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
NAMES = ("initialize", "ping", "tools/list", "tools/call", "resources/list", "resources/read", "prompts/get", "server/discover")


def broken() -> Iterator[tuple[str, bytes]]:
    """Bodies that are no message."""
    yield "nothing", b""
    yield "no JSON", b"{"
    yield "no UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}'
    yield "half of a surrogate pair", rb'{"jsonrpc":"2.0","id":1,"method":"\ud800"}'
    yield "a batch", b"[%b,%b]" % (PING, PING)
    yield "deep lists", b"[" * 200_000
    yield "deep parameters", b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 5000 + b"1" + b"}" * 5001
    yield "a number", b"1"
    yield "null", b"null"
    yield "another version", PING.replace(b"2.0", b"1.0")
    yield "a list for an id", PING.replace(b":1,", b":[1],")
    yield "no method", b'{"jsonrpc":"2.0","id":1}'
    yield "not a number", PING.replace(b":1,", b":NaN,")


def odd() -> Iterator[tuple[str, bytes]]:
    """Messages that make little sense."""
    for name in NAMES:
        for params in (
            b"{}",
            b"[]",
            b"null",
            b'{"name":null}',
            b'{"name":"ask","arguments":[]}',
            b'{"_meta":{"progressToken":[]}}',
        ):
            yield f"{name} {params.decode()}", b'{"jsonrpc":"2.0","id":1,"method":"%b","params":%b}' % (name.encode(), params)
    yield "an unknown method", PING.replace(b"ping", b"pong")
    yield "a large id", PING.replace(b":1,", b":%d," % 10**400)
    yield "an id that is a fraction", PING.replace(b":1,", b":1.5,")
    yield "an answer", b'{"jsonrpc":"2.0","id":1,"result":{}}'
    yield "a notification", b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
    yield "a cancellation of nothing", b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}'


async def post(account: Account, body: bytes, **headers: str) -> httpx2.Response:
    return await account.client.post("/mcp", content=body, headers={"Content-Type": "application/json", **headers})


@pytest.mark.parametrize("headers", [{}, MODERN], ids=["2025", "2026"])
async def test_a_body_that_is_no_message_is_a_400_in_the_shape_of_json_rpc(alice: Account, headers: dict[str, str]) -> None:
    for name, body in broken():
        response = await post(alice, body, **headers)
        assert response.status_code == 400, (name, response.text)
        told = response.json()
        assert (told["id"], told["error"]["code"] in {-32700, -32600}) == (None, True), name


@pytest.mark.parametrize("headers", [{}, MODERN, {**MODERN, "MCP-Protocol-Version": "1"}], ids=["2025", "2026", "unknown"])
async def test_no_message_makes_the_server_fail(product: Product, alice: Account, headers: dict[str, str]) -> None:
    for name, body in odd():
        response = await post(alice, body, **headers)
        assert response.status_code in {200, 202, 400, 404}, (name, response.status_code, response.text)
        if response.status_code != 202:
            assert "jsonrpc" in response.json(), name

    assert not any("Traceback" in line for line in product.lines), "".join(product.lines)


async def test_what_is_around_the_message_has_to_fit(alice: Account) -> None:
    assert (await post(alice, PING, **{"Content-Type": "text/plain"})).json()["code"] == "media_type_unsupported"
    assert (await post(alice, PING, Accept="text/html")).json()["code"] == "not_acceptable"
    assert (await post(alice, b" " * 1_100_000 + PING)).json()["code"] == "request_too_large"
    for method in ("GET", "DELETE", "PUT"):
        response = await alice.client.request(method, "/mcp", headers={"Accept": "text/event-stream"})
        assert (response.status_code, response.headers["allow"], response.json()["code"]) == (405, "POST", "method_not_allowed")


async def test_one_request_is_one_answer_in_json_at_either_address(alice: Account) -> None:
    for path in ("/mcp", "/mcp/"):
        for accept in ("application/json", "application/json, text/event-stream", "*/*"):
            response = await alice.client.post(path, json=LIST, headers={"Accept": accept})
            assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
            assert len(response.json()["result"]["tools"]) == 6
    assert response.headers["x-request-id"]
