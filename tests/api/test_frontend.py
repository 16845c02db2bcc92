"""A web app of one's own beside the API: what it gets to answer, and what it never does."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.routing import BaseRoute
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from backend.api.frontend import RESERVED
from backend.core.browser_settings import FRONTEND_CSP
from backend.core.config import Settings
from backend.core.errors import ConfigurationError
from backend.main import create_app
from tests.support.web_server import web_server

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
INDEX = "<!doctype html><title>Ours</title>"
HASHED = ("assets/index-B7f_x9Qa.js", "main-5N7QJX3R.js", "assets/app.3f2a9c1d.css", "assets/chunk.3f2a9c1d.js.map")
PLAIN = ("favicon.ico", "my-component.js", "app-version2.js", "photo-20240101.png", "jquery-3.7.1.slim.min.js", "index.html")


@dataclass(frozen=True)
class Site:
    app: ASGIApp
    client: AsyncClient
    folder: Path


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with a_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@asynccontextmanager
async def a_site(place: Path) -> AsyncIterator[Site]:
    folder = place / "dist"
    for name in (*HASHED, *PLAIN, "font.woff2", "docs/guide/index.html", "api/v1/index.html", ".env", ".git/config", "health"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(INDEX if name == "index.html" else f"content of {name}")
    (place / "secret.txt").write_text("the secret")
    (place / "dist-of-others").mkdir()
    (place / "dist-of-others" / "secret.txt").write_text("the secret")
    (folder / "out.txt").symlink_to(place / "secret.txt")
    (folder / "outside").symlink_to(place)
    (folder / "hidden.txt").symlink_to(folder / ".env")
    (folder / "inside.txt").symlink_to(folder / "favicon.ico")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    app = create_app(Settings(_env_file=None, frontend_dir=folder))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield Site(app, client, folder)


@pytest.mark.parametrize("path", ["/", "/login", "/chats/17/messages", "/about/", "/Überblick"])
async def test_pages_of_the_app_are_its_index_for_browsers(site: Site, path: str) -> None:
    page = await site.client.get(path, headers=BROWSER)

    assert (page.status_code, page.text, page.headers["content-type"]) == (200, INDEX, "text/html; charset=utf-8")
    assert (page.headers["cache-control"], page.headers["vary"]) == ("no-cache", "Accept")
    assert page.headers["content-security-policy"] == FRONTEND_CSP
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_a_head_tells_what_a_get_would(site: Site) -> None:
    for path in ("/login", "/"):
        page = await site.client.head(path, headers=BROWSER)
        assert (page.status_code, page.content, page.headers["content-length"]) == (200, b"", str(len(INDEX)))


async def test_programs_are_told_what_answers_here_and_get_no_page_for_what_is_missing(site: Site) -> None:
    for accept in ("*/*", "application/json", "application/json, text/html"):
        told = await site.client.get("/", headers={"Accept": accept})
        assert (told.json()["service"], told.headers["vary"]) == ("docent", "Accept")
        missing = await site.client.get("/login", headers={"Accept": accept})
        assert (missing.status_code, missing.json()["code"]) == (404, "route_not_found")


NOT_THE_APPS = (
    *("/api/v1/nothing", "/api", "/API/v1/index.html", "/api/v1/", "/V1/nothing", "/mcp/x", "/services/nothing", "/metrics/x"),
    *("/openapi.json/x", "/sign-in/x", "/sign-up/x", "/docs/guide/", "/health/x", "//evil.example/x", "/a//b"),
    *("/assets/missing.js", "/missing.png", "/users/john.doe", "/.well-known/nothing"),
)


@pytest.mark.parametrize("accept", [BROWSER["Accept"], "*/*"])
@pytest.mark.parametrize("path", NOT_THE_APPS)
async def test_what_is_the_apis_or_a_missing_file_stays_a_problem(site: Site, path: str, accept: str) -> None:
    answer = await site.client.get(f"http://test{path}", headers={"Accept": accept})

    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/chat/completions/", "/api/v1/auth/login/", "/health/", "/sign-in/"])
async def test_an_address_with_a_slash_too_many_leads_nowhere(site: Site, path: str) -> None:
    answers = [await site.client.request(method, path, headers={"Host": "evil.example"}) for method in ("GET", "POST")]

    assert [(answer.status_code, "location" in answer.headers) for answer in answers] == [(404, False)] * 2


async def test_what_is_missing_below_v1_is_told_as_openai_tells_it(site: Site) -> None:
    answer = await site.client.get("/v1/nothing", headers=BROWSER)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_not_found")


async def test_the_routes_of_the_api_go_before_files_of_their_names(site: Site) -> None:
    health = await site.client.get("/health", headers=BROWSER)
    described = await site.client.get("/openapi.json", headers=BROWSER)
    wrong = await site.client.delete("/health", headers=BROWSER)
    posted = await site.client.post("/login", headers=BROWSER)

    assert health.json()["status"] == "healthy"
    assert health.headers["content-security-policy"].startswith("default-src 'none'")
    assert described.json()["info"]["title"] == "Docent"
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "GET, HEAD")
    assert (posted.status_code, posted.json()["code"]) == (404, "route_not_found")


@pytest.mark.parametrize("name", [*HASHED, *PLAIN])
async def test_only_files_with_a_hash_in_their_name_are_kept_without_asking(site: Site, name: str) -> None:
    file = await site.client.get(f"/{name}")

    assert file.status_code == 200
    assert ("immutable" in file.headers["cache-control"]) == (name in HASHED)
    assert file.headers["content-security-policy"] == FRONTEND_CSP


async def test_scripts_and_fonts_have_the_types_that_browsers_insist_on(site: Site) -> None:
    types = {name: (await site.client.get(f"/{name}")).headers["content-type"] for name in (HASHED[0], HASHED[3], "font.woff2")}

    assert list(types.values()) == ["text/javascript; charset=utf-8", "application/json", "font/woff2"]
    assert (await site.client.get("/health.d", headers=BROWSER)).status_code == 404


async def test_a_file_is_sent_again_only_when_it_is_another_even_of_the_same_time_and_size(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        path = site.folder / "index.html"
        os.utime(path, (1, 1))
        first = await site.client.get("/", headers=BROWSER)
        same = await site.client.get("/", headers={**BROWSER, "If-None-Match": f'"x", W/{first.headers["etag"]}'})
        beside = path.with_suffix(".new")
        beside.write_text(INDEX.replace("Ours", "New!"))
        os.utime(beside, (1, 1))
        beside.rename(path)
        other = await site.client.get("/", headers={**BROWSER, "If-None-Match": first.headers["etag"]})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    assert same.headers["cache-control"] == "no-cache"
    assert (other.status_code, other.text) == (200, INDEX.replace("Ours", "New!"))


async def test_a_part_of_a_file_can_be_had(site: Site) -> None:
    part = await site.client.get("/favicon.ico", headers={"Range": "bytes=0-6"})

    assert (part.status_code, part.text) == (206, "content")


@pytest.mark.parametrize("path", ["/out.txt", "/outside/secret.txt", "/hidden.txt", "/.env", "/.git/config", "/loop", "/pipe"])
async def test_links_that_lead_out_hidden_files_and_what_is_no_file_are_not_there(site: Site, path: str) -> None:
    answer = await site.client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


async def test_a_link_within_the_folder_is_followed(site: Site) -> None:
    assert (await site.client.get("/inside.txt")).text == "content of favicon.ico"


TARGETS = (
    *(b"/../secret.txt", b"/assets/../../secret.txt", b"/%2e%2e/secret.txt", b"/..%2fsecret.txt", b"/..%5csecret.txt"),
    *(b"/assets/%2e%2e%2f%2e%2e%2fsecret.txt", b"/../dist-of-others/secret.txt", b"/%2e%2e%2fdist-of-others%2fsecret.txt"),
    *(b"//../secret.txt", b"/secret.txt%00", b"/%00", b"/%ff%fe", b"/" + b"a" * 300, b"/" + b"a/" * 2000),
)


@pytest.mark.parametrize("target", TARGETS)
async def test_no_address_leads_out_of_the_folder(site: Site, target: bytes) -> None:
    async with web_server(site.app, H11Protocol) as server:
        request = b"GET " + target + b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
        exchange = await server.send(request, within=30)

    assert exchange.statuses == [404]
    assert b"the secret" not in exchange.received


async def test_a_folder_that_is_no_app_prevents_the_start_with_a_sentence(tmp_path: Path) -> None:
    app = create_app(Settings(_env_file=None, frontend_dir=tmp_path / "nowhere"))

    with pytest.raises(ConfigurationError, match="FRONTEND_DIR") as refused:
        async with app.router.lifespan_context(app):
            pass

    assert str(tmp_path / "nowhere") in refused.value.message


async def test_an_app_whose_index_is_gone_meanwhile_leaves_the_page_of_the_api(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        (site.folder / "index.html").unlink()

        assert "<h1>Docent</h1>" in (await site.client.get("/", headers=BROWSER)).text
        assert (await site.client.get("/login", headers=BROWSER)).status_code == 404


def test_every_route_of_the_api_begins_with_a_reserved_name() -> None:
    def paths(routes: list[BaseRoute]) -> set[str]:
        return {path for route in routes if (path := getattr(route, "path", None))}

    app = create_app(Settings(_env_file=None))
    named = {*paths(app.routes), *app.openapi()["paths"]} - {"/"}

    assert {path.split("/")[1] for path in named} <= RESERVED
