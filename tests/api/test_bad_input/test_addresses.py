import base64
from uuid import uuid4

import pytest

from tests.api.test_bad_input.problems import assert_problem
from tests.support.files import WHALES
from tests.support.product import Account, Product


def cursor(key: str) -> str:
    return base64.urlsafe_b64encode(f"{uuid4().hex}{key}".encode()).decode().rstrip("=")


PLACES = ["", "x", "=", "%00", "%ED%A0%80", "ÿ", "a" * 201, "e30", base64.urlsafe_b64encode(b"\xff" * 40).decode()]
MOMENTS = ["", "x", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "\0", "'; --"]


async def test_cursors_that_come_from_nowhere(alice: Account) -> None:
    session = (await alice.client.post("/api/v1/chat/sessions", json={})).json()["id"]
    by_time, by_id = ("/api/v1/chat/documents", "/api/v1/chat/sessions"), f"/api/v1/chat/sessions/{session}/messages"
    for path in (*by_time, by_id):
        for place in PLACES:
            response = await alice.client.get(f"{path}?cursor={place}")
            assert_problem(response, 422, "request_invalid" if len(place) in {0, 201} else "cursor_invalid")
    for path in by_time:
        for moment in MOMENTS:
            assert_problem(await alice.client.get(path, params={"cursor": cursor(moment)}), 422, "cursor_invalid")
        good = await alice.client.get(path, params={"cursor": cursor("2026-01-01T00:00:00+00:00")})
        assert (good.status_code, good.json()) == (200, {"items": [], "next_cursor": None})
    assert (await alice.client.get(by_id, params={"cursor": cursor("x\0")})).status_code == 200


@pytest.mark.parametrize("limit", ["0", "101", "-1", "9223372036854775808", "1.5", "x", "", "NaN"])
async def test_limits_of_lists_are_bounded(alice: Account, limit: str) -> None:
    for path in ("documents", "sessions", f"sessions/{uuid4()}/messages"):
        assert_problem(await alice.client.get(f"/api/v1/chat/{path}?limit={limit}"), 422, "request_invalid")


@pytest.mark.parametrize(
    "span", ["start=2&end=1", "start=-1", "end=-1", "start=2147483647&end=2147483647", "end=9223372036854775808"]
)
async def test_spans_of_a_text_are_bounded(alice: Account, span: str) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]

    assert_problem(await alice.client.get(f"/api/v1/chat/documents/{document}/text?{span}"), 422, "request_invalid")
    most = await alice.client.get(f"/api/v1/chat/documents/{document}/text?start=1073741824&end=1073741824")
    assert most.status_code in {200, 404}


@pytest.mark.parametrize("bad", ["1", "nonsense", "%00", "%2e%2e", "0b46b61f-a790-4913-a5f2-5bc0006fff620", "🐋"])
async def test_ids_that_are_none(alice: Account, bad: str) -> None:
    for path in (
        f"documents/{bad}",
        f"documents/{bad}/text",
        f"documents/{bad}/file",
        f"documents/{bad}/events",
        f"sessions/{bad}",
        f"sessions/{bad}/messages",
    ):
        assert_problem(await alice.client.get(f"/api/v1/chat/{path}"), 422, "request_invalid")
    for path in (f"documents/{bad}/retry", f"documents/{bad}/cancel"):
        assert_problem(await alice.client.post(f"/api/v1/chat/{path}"), 422, "request_invalid")
    replaced = await alice.client.put(f"/api/v1/chat/documents/{bad}/file", files={"file": ("a.md", b"a")})
    assert_problem(replaced, 422, "request_invalid")
    for path in (f"documents/{bad}", f"sessions/{bad}"):
        assert_problem(await alice.client.delete(f"/api/v1/chat/{path}"), 422, "request_invalid")


@pytest.mark.parametrize("title", [" ", "", None, 7, "t" * 301, "NUL\0"])
async def test_titles_that_say_nothing(alice: Account, title: object) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]

    assert_problem(await alice.client.patch(f"/api/v1/chat/documents/{document}", json={"title": title}), 422, "request_invalid")


async def test_unknown_routes_and_methods_are_problems_too(alice: Account) -> None:
    for path in ("/nowhere", "/api/v1/nowhere", "/api/v1/chat/%00", "/api/v2/chat/query"):
        assert_problem(await alice.client.get(path), 404, "route_not_found")
    for method, path in (("GET", "/api/v1/chat/query"), ("DELETE", "/health"), ("PUT", "/api/v1/auth/me")):
        refused = await alice.client.request(method, path)
        assert_problem(refused, 405, "method_not_allowed")
        assert refused.headers["allow"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abcd-1234_5.6", True),
        ("short", False),
        ("x" * 65, False),
        ("a b c d e f", False),
        ("täglich-xx", False),
        ("12345678;{}", False),
    ],
)
async def test_a_request_id_is_taken_over_only_if_it_is_harmless(product: Product, sent: str, kept: bool) -> None:
    async with product.client() as client:
        headers = {"X-Request-ID": sent.encode()}
        answer = await client.get("/health", headers=headers)  # type: ignore[arg-type] # bytes reach the wire as they are

    assert (answer.headers["x-request-id"] == sent) is kept
    assert answer.headers["x-content-type-options"] == "nosniff"
