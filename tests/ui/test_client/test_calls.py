"""Calls: what comes back is what the API promises, or a sentence."""

import asyncio

import httpx2
import pytest
from aiohttp import web

from tests.support.faulty_api import FaultyApi
from tests.ui.test_client.calling import THING, eventually, refused
from ui.client import Api, ApiError, connect

NO_SUCCESS: list[tuple[str, bytes, int, str]] = [
    ("html", b"<html>hello</html>", 200, "unreadable"),
    ("empty", b"", 200, "unreadable"),
    ("a list", b"[1]", 200, "unreadable"),
    ("null", b"null", 200, "unreadable"),
    ("cut JSON", b'{"a": [1', 200, "unreadable"),
    ("not UTF-8", b'{"a": "\xff\xfe"}', 200, "unreadable"),
    ("nested", b"[" * 100_000, 200, "unreadable"),
    ("nested less", b'{"a":' * 800 + b"1" + b"}" * 800, 200, "unreadable"),
    ("redirect", b"", 302, "http_302"),
    ("proxy", b"<h1>Bad Gateway</h1>", 502, "http_502"),
    ("a problem of another shape", b'{"code": ["x"], "detail": {"a": 1}}', 422, "http_422"),
    ("a list as a problem", b"[]", 500, "http_500"),
]


@pytest.mark.parametrize(("body", "status", "code"), [case[1:] for case in NO_SUCCESS], ids=[case[0] for case in NO_SUCCESS])
async def test_what_is_no_answer_becomes_a_sentence(server: FaultyApi, api: Api, body: bytes, status: int, code: str) -> None:
    server.send("*", THING, body, status)

    error = await refused(api.get, "/thing")

    assert (error.status, error.code) == (status, code)
    assert error.message.endswith(".")


async def test_a_refusal_keeps_its_words_its_code_its_wait_and_its_number(server: FaultyApi, api: Api) -> None:
    headers = {"Retry-After": "17", "X-Request-ID": "4f9c1f0a6d2b4d5e"}
    server.refuse("POST", THING, 429, "rate_limited", "Slower, please.", **headers)

    error = await refused(api.post, "/thing", {})

    assert (error.status, error.code, error.message) == (429, "rate_limited", "Slower, please.")
    assert (error.retry_after, error.request_id) == (17.0, "4f9c1f0a6d2b4d5e")


@pytest.mark.parametrize(
    ("told", "read"),
    [("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("-3", None), ("9" * 400, None), ("", None)],
)
async def test_a_wait_is_seconds_or_nothing(server: FaultyApi, api: Api, told: str, read: float | None) -> None:
    server.refuse("GET", THING, 503, "unavailable", "Away.", **{"Retry-After": told})

    assert (await refused(api.get, "/thing")).retry_after == read


async def test_a_member_that_is_missing_is_said_in_words(server: FaultyApi, api: Api) -> None:
    server.say("GET", THING, {"known": {"inner": 1}, "many": [{}]})
    found = await asyncio.to_thread(api.get, "/thing")

    assert found == {"known": {"inner": 1}, "many": [{}]}
    for place in (found, found["known"], found["many"][0]):
        with pytest.raises(ApiError):
            place["other"]


@pytest.mark.parametrize(
    "body", [{"items": {}}, {"items": [1], "next_cursor": None}, {"items": [], "next_cursor": 5}, {"other": []}, {"items": []}]
)
async def test_a_list_of_another_shape_is_unreadable(server: FaultyApi, api: Api, body: object) -> None:
    server.say("GET", THING, body)

    assert (await refused(api.part, "/thing")).code == "unreadable"
    assert (await refused(api.all, "/thing")).code == "unreadable"


async def test_a_list_without_an_end_ends(server: FaultyApi, api: Api) -> None:
    server.say("GET", THING, {"items": [{}], "next_cursor": "again"})

    assert len(await asyncio.to_thread(lambda: api.all("/thing", most=1000))) == 10
    assert await asyncio.to_thread(lambda: api.part("/thing", cursor="x", limit=5)) == ([{}], "again")


async def test_a_reading_call_survives_a_broken_connection_and_a_writing_one_is_not_repeated(server: FaultyApi, api: Api) -> None:
    async def first_dies(request: web.Request) -> web.Response:
        if len(server.seen) == 1 and request.transport is not None:
            request.transport.abort()
        return web.json_response({"fine": True})

    server.answer("GET", THING, first_dies).drop("POST", THING)

    assert await asyncio.to_thread(api.get, "/thing") == {"fine": True}
    assert (await refused(api.post, "/thing")).code == "unreachable"
    assert server.seen == [f"GET {THING}", f"GET {THING}", f"POST {THING}"]


async def test_no_server_a_cut_body_and_a_slow_one_have_their_sentences(server: FaultyApi, api: Api) -> None:
    server.answer("GET", THING, eventually(b'{"a": ', cut=True, content_type="application/json"))
    assert (await refused(api.get, "/thing")).code == "unreachable"

    async def silent(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    server.answer("GET", THING, silent)
    with connect(server.url) as hasty:
        hasty.timeout = httpx2.Timeout(0.2)
        error = await refused(Api(hasty, "token").get, "/thing")
    assert (error.status, error.code, error.message) == (0, "timed_out", "The server took too long to answer.")

    for address in ("http://127.0.0.1:9", "http://nowhere.invalid", "gopher://there"):
        with connect(address) as nobody:
            assert (await refused(Api(nobody, "token").get, "/thing")).code == "unreachable"


@pytest.mark.parametrize(
    "path", ["/thing/../auth/me", "/thing/..", "/thing/%2e%2e/x", "/thing/a b", "/thing\\x", "/thing/é", "/a#b", ""]
)
async def test_an_address_that_was_tampered_with_is_not_asked(server: FaultyApi, api: Api, path: str) -> None:
    assert (await refused(api.delete, path)).status == 404
    assert server.seen == []


async def test_a_cookie_that_is_no_token_and_text_that_cannot_be_sent_do_no_harm(server: FaultyApi, http: httpx2.Client) -> None:
    server.refuse("GET", THING, 401, "token_invalid", "Sign in.")

    for token in ("", "pässwört", "a\r\nX-Evil: 1", "a b"):
        assert (await refused(Api(http, token).get, "/thing")).status == 401
    assert (await refused(Api(http, "token").post, "/thing", {"text": "\ud800"})).code == "request_invalid"
    assert (await refused(Api(http, "token").get, "/thing", q="\ud800")).code == "request_invalid"


async def test_nobody_gets_the_cookies_of_somebody_else(server: FaultyApi, api: Api) -> None:
    sent: list[str | None] = []

    async def baking(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Cookie"))
        return web.json_response({}, headers={"Set-Cookie": "docent_session=ds_of_somebody; Path=/"})

    server.answer("GET", THING, baking)
    await asyncio.to_thread(api.get, "/thing")
    await asyncio.to_thread(api.get, "/thing")

    assert sent == [None, None]
