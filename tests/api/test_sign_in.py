"""People with a browser sign in on pages of the API, and their browser's cookie is a credential like any other."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from uuid import uuid4

import httpx2
import pytest

from backend.core.config import Settings
from backend.main import create_app
from tests.conftest import ApplicationFactory
from tests.support.product import PASSWORD, Account, Product

ME = "/api/v1/auth/me"
KEYS = "/api/v1/auth/keys"


class Form(HTMLParser):
    """The fields of a page's form, and what is said to be wrong."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("name"):
            self.values[str(found["name"])] = found.get("value") or ""


@asynccontextmanager
async def a_browser(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that says of its posts where they come from, as browsers do."""
    async with product.client(Origin=product.url) as client:
        yield client


@pytest.fixture
async def browser(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    async with a_browser(product) as client:
        yield client


async def sign_in(browser: httpx2.AsyncClient, username: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return await browser.post("/sign-in", data={"username": username, "password": password, **more})


def wrong(page: httpx2.Response) -> list[str]:
    return re.findall(r'class="wrong"[^>]*>([^<]+)<', page.text)


async def test_a_cookie_that_no_script_can_read_signs_a_browser_in(browser: httpx2.AsyncClient, alice: Account) -> None:
    answer = await sign_in(browser, alice.username)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert "secure" not in attributes, "over plain HTTP it would not come back"
    assert (await browser.get(ME)).json()["username"] == alice.username
    assert (await browser.post(KEYS, json={"name": "mine", "scopes": ["chat"]})).status_code == 201
    assert (await browser.get("/sign-in")).headers["location"] == "/", "who is signed in need not do it again"


async def test_an_account_is_opened_and_signed_in_at_once(browser: httpx2.AsyncClient) -> None:
    name = f"ada-{uuid4().hex[:8]}"
    sent = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "full_name": "", "next": "/docs?a=1"}

    answer = await browser.post("/sign-up", data=sent)

    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?a=1")
    assert (await browser.get(ME)).json()["username"] == name


async def test_what_is_wrong_is_said_in_words_beside_what_was_typed(browser: httpx2.AsyncClient, alice: Account) -> None:
    sent = {"username": alice.username, "email": "no address", "password": "short", "full_name": "<b>Ada</b>"}

    refused = await browser.post("/sign-up", data=sent)
    taken = await browser.post("/sign-up", data={**sent, "email": "a@example.com", "password": PASSWORD})
    failed = await sign_in(browser, alice.username, "not the password", next="/docs")

    assert (refused.status_code, wrong(refused)) == (422, ["An email address, such as ada@example.com.", "At least 8 characters."])
    assert Form(refused.text).values | {"password": ""} == sent | {"password": ""}
    assert "<b>" not in refused.text
    assert "short" not in refused.text
    assert (taken.status_code, wrong(taken)) == (409, ["This username is taken."])
    assert (failed.status_code, wrong(failed)) == (401, ["The username or the password is not right."])
    assert Form(failed.text).values == {"username": alice.username, "password": "", "next": "/docs"}
    assert not list(browser.cookies)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1", "file://", "http://[::1"])
async def test_another_site_cannot_use_the_cookie(product: Product, alice: Account, origin: str) -> None:
    async with a_browser(product) as browser:
        await sign_in(browser, alice.username)
        foreign = {"Origin": origin}

        made = await browser.post(KEYS, json={"name": "theirs", "scopes": ["chat"]}, headers=foreign)
        out = await browser.post("/sign-out", headers=foreign)
        again = await browser.post("/sign-in", data={"username": alice.username, "password": PASSWORD}, headers=foreign)

        assert (made.status_code, made.json()["code"]) == (403, "cross_site")
        assert out.status_code == again.status_code == 403
        assert (await browser.get(ME)).status_code == 200, "nobody else has signed it out"


async def test_a_write_without_an_origin_needs_more_than_the_cookie(product: Product, alice: Account) -> None:
    async with product.client() as program:
        answer = await sign_in(program, alice.username)
        token = program.cookies["docent_session"]

        by_cookie = await program.post(KEYS, json={"name": "a", "scopes": ["chat"]})
        program.cookies.clear()
        by_header = await program.post(KEYS, json={"name": "a", "scopes": ["chat"]}, headers={"Authorization": f"Bearer {token}"})

        assert (answer.status_code, by_cookie.status_code, by_header.status_code) == (303, 403, 201)


async def test_signing_out_ends_the_sign_in_and_not_only_the_cookie(browser: httpx2.AsyncClient, alice: Account) -> None:
    await sign_in(browser, alice.username)
    token = browser.cookies["docent_session"]

    asked = await browser.get("/sign-out")
    answer = await browser.post("/sign-out")

    assert asked.status_code == 200
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert not list(browser.cookies)
    assert (await browser.get(ME, headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert (await browser.get("/sign-in", headers={"Cookie": f"docent_session={token}"})).status_code == 200


async def test_a_browser_is_one_of_the_sign_ins_that_can_be_ended_from_elsewhere(
    browser: httpx2.AsyncClient, alice: Account
) -> None:
    await sign_in(browser, alice.username)
    mine = next(found for found in (await browser.get(f"{ME}/sign-ins")).json()["items"] if found["current"])

    (await alice.client.delete(f"{ME}/sign-ins/{mine['id']}")).raise_for_status()

    assert (await browser.get(ME)).status_code == 401


async def test_its_token_and_a_refresh_token_cannot_be_made_of_each_other(browser: httpx2.AsyncClient, alice: Account) -> None:
    await sign_in(browser, alice.username)
    _, sign_in_id, secret = browser.cookies["docent_session"].split("_", 2)
    prefix = alice.refresh_token.split("_")[0]

    refreshed = await browser.post("/api/v1/auth/refresh", json={"refresh_token": f"{prefix}_{sign_in_id}_{secret}"})
    _, own_id, own_secret = alice.refresh_token.split("_", 2)
    used = await browser.get(ME, headers={"Authorization": f"Bearer ds_{own_id}_{own_secret}"})

    assert (refreshed.status_code, used.status_code) == (401, 401)
    assert (await browser.get(ME)).status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/a\r\nX: y", ""],
)
async def test_signing_in_leads_to_this_site_alone(browser: httpx2.AsyncClient, alice: Account, elsewhere: str) -> None:
    shown = await browser.get("/sign-in", params={"next": elsewhere})
    answer = await sign_in(browser, alice.username, next=elsewhere)

    assert "elsewhere" not in shown.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_odd_forms_are_refused_in_words(browser: httpx2.AsyncClient, path: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    bodies = [
        b"",
        b"username=%00&password=%00",
        b"username=%ED%A0%80&password=x",
        b"username=a&username=b",
        b"\xff=\xff",
        b"a" * 3000,
    ]

    answers = [await browser.post(path, content=body, headers=headers) for body in bodies]
    answers.append(await browser.post(path, files={"username": ("a.txt", b"x")}))
    answers.append(await browser.post(path, data={f"field{number}": "x" for number in range(30)}))
    answers.append(await browser.post(path, json={"username": "a"}))

    assert {answer.status_code for answer in answers} <= {400, 401, 422}


async def test_the_pages_need_no_script_and_let_no_other_page_frame_them(browser: httpx2.AsyncClient) -> None:
    for path in ("/sign-in", "/sign-up", "/sign-out"):
        page = await browser.get(path)

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin", "without a referrer, browsers send no origin with a form"
        assert "<script" not in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        for name in Form(page.text).values:
            assert name == "next" or f'<label for="{name}">' in page.text, "every field has its label"


@pytest.mark.parametrize(
    ("then", "kept"),
    [
        ("https://docent.example:8501", True),
        ("https://docent.example:8501/?session=1", True),
        ("https://docent.example:8501.elsewhere.example/", False),
        ("https://docent.example:8501@elsewhere.example/", False),
        ("http://docent.example:8501/", False),
    ],
)
async def test_the_user_interface_is_the_only_other_place_to_go_on_to(then: str, kept: bool) -> None:
    app = create_app(Settings(_env_file=None, ui_url="https://docent.example:8501/"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as browser:
        page = await browser.get("/sign-up", params={"next": then})

    assert Form(page.text).values.get("next") == (then if kept else None)
    assert "form-action 'self' https://docent.example:8501;" in page.headers["content-security-policy"]


async def test_who_comes_too_often_and_where_nobody_may_open_an_account_is_told_so(application: ApplicationFactory) -> None:
    app = create_app(Settings(_env_file=None, registration_open=False))
    async with (
        application(settings={"registration_open": False, "limits_enabled": True}) as running,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as browser,
    ):
        app.state.services = running.services
        shown = await browser.get("/sign-in")
        closed = await browser.get("/sign-up", params={"next": "/docs"})
        tried = [await sign_in(browser, "nobody") for _ in range(11)]

    assert "/sign-up" not in shown.text
    assert (closed.status_code, "<form" in closed.text, "does not accept new" in closed.text) == (403, False, True)
    assert 'href="/sign-in?next=%2Fdocs"' in closed.text
    assert [answer.status_code for answer in tried] == [401] * 10 + [429]
    assert 0 < int(tried[-1].headers["retry-after"]) <= 300
