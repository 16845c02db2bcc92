from uuid import uuid4

import pytest
from httpx2 import Response

from tests.api.test_bad_input.problems import SECRET, assert_problem
from tests.support.product import Account, Product
from tests.support.wire import connected

BODIES = {
    "query": ("POST", "/api/v1/chat/query", {"query": "Anything?"}),
    "session": ("POST", "/api/v1/chat/sessions", {"title": "A title"}),
    "register": ("POST", "/api/v1/auth/register", {"username": "dave", "email": "dave@example.com", "password": "long enough"}),
    "login": ("POST", "/api/v1/auth/login", {"username": "dave", "password": "long enough"}),
    "refresh": ("POST", "/api/v1/auth/refresh", {"refresh_token": "dr_x"}),
    "logout": ("POST", "/api/v1/auth/logout", {"refresh_token": "dr_x"}),
    "me": ("PATCH", "/api/v1/auth/me", {"full_name": "Dave"}),
}
TEXTS = [
    ("query", "query"),
    ("query", "model"),
    ("session", "title"),
    ("register", "username"),
    ("register", "email"),
    ("register", "password"),
    ("register", "full_name"),
    ("login", "username"),
    ("login", "password"),
    ("refresh", "refresh_token"),
    ("logout", "refresh_token"),
    ("me", "full_name"),
]
UNSTORABLE = [rb"\u0000", rb"\ud800", rb"\udfff", "\ud800".encode("utf-8", "surrogatepass")]


async def send(account: Account, route: str, content: bytes, kind: str = "application/json") -> Response:
    method, path, _ = BODIES[route]
    return await account.client.request(method, path, content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize(("route", "field"), TEXTS)
async def test_no_text_holds_a_nul_or_half_a_surrogate_pair(alice: Account, route: str, field: str) -> None:
    whole = {**BODIES[route][2], field: "@@"}
    for bad in UNSTORABLE:
        content = str(whole).replace("'", '"').encode().replace(b'"@@"', b'"' + SECRET.encode() + bad + b'@example.com"')

        assert_problem(await send(alice, route, content), 422, "request_invalid")


VALUES: list[tuple[str, str, list[bytes]]] = [
    ("query", "temperature", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-0.1", b"2.1", b'"hot"', b"[]", b"9" * 400]),
    ("query", "max_tokens", [b"0", b"-1", b"131073", b"9" * 400, b"1e400", b"NaN", b"1.5", b"9223372036854775808", b"{}"]),
    ("query", "session_id", [b'"nonsense"', b"1", b"true", b'""', b'"\\u0000"']),
    (
        "query",
        "document_ids",
        [b"[]", b'["x"]', b"[null]", b'"x"', b"[" + b",".join([b'"' + str(uuid4()).encode() + b'"'] * 101) + b"]"],
    ),
    ("query", "stream", [b'"perhaps"', b"2", b"null"]),
    ("query", "query", [b"null", b"1", b"[]", b'""', b'" \\n\\t"', b'"' + b"x" * 32_001 + b'"', b'"' + b"y" * 1_000_000 + b'"']),
    ("query", "unknown", [b'"' + SECRET.encode() + b'"']),
    ("session", "title", [b'" "', b'"\\n\\u2003"', b'""', b"null", b"7", b'"' + b"t" * 201 + b'"']),
    ("session", "document_ids", [b"[]", b"[1]"]),
    ("register", "email", [b'"no address"', b'"a@b"', b'"@"', b'"' + b"a" * 250 + b'@b.example"']),
    ("register", "username", [b'"ab"', b'"a b c"', b'"a/b/c"', b'"abc\\n"', b'"' + b"n" * 65 + b'"', '"Зоя-зоя"'.encode()]),
    ("register", "password", [b'"short"', b'"' + SECRET.encode() * 20 + b'"', b"12345678"]),
    ("register", "role", [b'"admin"']),
    ("me", "role", [b'"admin"']),
]


@pytest.mark.parametrize(("route", "field", "values"), VALUES)
async def test_wrong_values_are_refused(alice: Account, route: str, field: str, values: list[bytes]) -> None:
    for value in values:
        others = ", ".join(f'"{name}": "{text}"' for name, text in BODIES[route][2].items() if name != field)
        content = f'{{"{field}": @@{", " if others else ""}{others}}}'.encode().replace(b"@@", value)

        assert_problem(await send(alice, route, content), 422, "request_invalid")


SHAPES: list[tuple[bytes, str, int, str]] = [
    (b"", "application/json", 422, "request_invalid"),
    (b"{", "application/json", 422, "request_invalid"),
    (b"null", "application/json", 422, "request_invalid"),
    (b'["' + SECRET.encode() + b'"]', "application/json", 422, "request_invalid"),
    (b'{"query": "' + SECRET.encode() + b'\xff"}', "application/json", 400, "request_malformed"),
    (b'{"query": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400, "request_malformed"),
    (b'{"max_tokens": ' + b"9" * 5000 + b"}", "application/json", 400, "request_malformed"),
    (b'{"query": "x"}', "text/plain", 422, "request_invalid"),
    (b"query=x", "application/x-www-form-urlencoded", 422, "request_invalid"),
    (b'{"query": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "request_too_large"),
]


@pytest.mark.parametrize(("content", "kind", "status", "code"), SHAPES, ids=range(len(SHAPES)))
async def test_bodies_that_are_no_json_object_of_ours(alice: Account, content: bytes, kind: str, status: int, code: str) -> None:
    for route in BODIES:
        assert_problem(await send(alice, route, content, kind), status, code)


@pytest.mark.parametrize(("path", "kind"), [("login", "application/json"), ("token", "application/x-www-form-urlencoded")])
async def test_a_body_without_an_end_is_refused_while_it_arrives(product: Product, path: str, kind: str) -> None:
    async with connected(product.url) as wire:
        await wire.begin("POST", f"/api/v1/auth/{path}", Content_Type=kind, Transfer_Encoding="chunked")
        sent = 0
        while not wire.answered() and sent < 100_000_000:
            await wire.send_chunk(b"x" * 65_536)
            sent += 65_536

        status, head = await wire.answer()

    assert (status, b"application/problem+json" in head) == (413, True)
    assert sent < 20_000_000
