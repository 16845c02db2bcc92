"""The state of the system: what it shows, to whom, and how often it looks."""

import asyncio

import pytest
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from structlog.testing import capture_logs

from backend.bootstrap.application import Application
from backend.core.config import Settings
from backend.core.errors import ConfigurationError, ModelMissingError, ServiceUnavailableError
from backend.core.named_urls import named_urls
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.main import create_app
from backend.services.status import StatusService
from tests.conftest import ApplicationFactory
from tests.support.cluster import Database
from tests.support.product import Product

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
SECRETS = ("hunter2", "token=", "#", "docent_app")


def app_of(**settings: object) -> AsyncClient:
    app = create_app(Settings(_env_file=None, **settings))  # type: ignore[arg-type] # checked by pydantic
    return AsyncClient(transport=ASGITransport(app), base_url="http://test")


async def statuses(application: Application) -> dict[str, tuple[str, str]]:
    return {check.name: (check.status, check.url) for check in await application.services.status.services()}


async def test_everything_that_is_spoken_to_is_listed_without_secrets(application: ApplicationFactory, product: Product) -> None:
    mine = f"{product.url.replace('://', '://me:hunter2@')}/health?token=hunter2#x"
    async with application(settings={"status_services": f"mine={mine}, gone=http://127.0.0.1:9/x"}) as app:
        found = await statuses(app)
        readiness = {check.name: check.status for check in await app.services.status.needed()}

    assert list(found) == ["postgresql", "blobs", "chroma", "extractive", "mine", "gone"]
    assert [found[name][0] for name in ("postgresql", "blobs", "extractive", "mine", "gone")] == ["up", "up", "up", "up", "down"]
    assert found["mine"][1].startswith("http://127.0.0.1:")
    assert found["mine"][1].endswith("/health")
    assert found["postgresql"][1].startswith("postgresql://127.0.0.1:")
    assert [shown for _, shown in found.values() if any(secret in shown for secret in SECRETS)] == []
    # What the system does not depend on says nothing about its readiness.
    assert set(readiness) == {"postgresql", "blobs", "chroma", "extractive"}


class CountingProbe:
    """Says that everything is up until it is told otherwise, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.up = True

    async def check(self, url: str) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if not self.up:
            raise ServiceUnavailableError

    async def aclose(self) -> None:
        return None


@pytest.mark.parametrize(("kept_seconds", "asked", "later"), [(600.0, 1, "up"), (0.0, 51, "down")])
async def test_however_many_ask_each_service_is_tried_once_in_a_while(
    shared_database: Database, kept_seconds: float, asked: int, later: str
) -> None:
    probe = CountingProbe()
    uow = UnitOfWork(make_engine(shared_database.app_url, pool_size=2))
    status = StatusService(uow, probe, postgresql="", checks={}, own={"mine": ("", "http://mine/")}, kept_seconds=kept_seconds)
    many = await asyncio.gather(*(status.services() for _ in range(50)))
    probe.up = False
    last = (await status.services())[-1]
    await uow.aclose()

    assert {(check.name, check.status) for checks in many for check in checks} == {("postgresql", "up"), ("mine", "up")}
    assert (probe.asked, last.status) == (asked, later)


async def test_production_shows_nobody_an_address(application: ApplicationFactory) -> None:
    settings = {
        **{"environment": "production", "secret_key": "0123456789abcdef" * 2, "limits_enabled": True},
        "status_services": "gone=http://127.0.0.1:9/x",
    }
    async with application(settings=settings) as app:
        assert {url for _, url in (await statuses(app)).values()} == {""}


@pytest.mark.parametrize("guarded", [True, False])
async def test_in_production_the_log_says_what_exactly_is_wrong_and_strangers_are_told_what_kind(
    shared_database: Database, guarded: bool
) -> None:
    exactly = "Ollama does not have secret-model:7b. Get it with: docent models pull secret-model:7b"

    async def missing() -> None:
        raise ModelMissingError(exactly)

    uow = UnitOfWork(make_engine(shared_database.app_url, pool_size=2))
    status = StatusService(uow, CountingProbe(), postgresql="", checks={"ollama": ("", missing)}, own={}, guarded=guarded)
    with capture_logs() as logs:
        told = next(check.detail for check in await status.services() if check.name == "ollama")
    await uow.aclose()

    assert told == (ModelMissingError.message if guarded else exactly)
    assert "secret-model" not in ModelMissingError.message
    assert [entry["detail"] for entry in logs if entry["event"] == "service_down"] == [exactly] * guarded


async def test_the_status_is_told_to_anybody_in_the_shape_that_is_described(product: Product) -> None:
    async with product.client() as stranger:
        listed = (await stranger.get("/services/status")).json()
        ready = (await stranger.get("/ready")).json()

    assert {frozenset(service) for service in listed} == {frozenset(("name", "url", "status", "response_time_ms", "detail"))}
    expected = {"postgresql", "blobs", "chroma", "ollama", *({"redis"} if "REDIS_URL" in product.environment else ())}
    assert {service["name"] for service in listed} == set(ready["checks"]) == expected


@pytest.mark.parametrize("accept", ["*/*", BROWSER["Accept"]])
@pytest.mark.parametrize("path", ["/", "/health", "/ready"])
async def test_probes_that_ask_with_head_are_told_what_get_tells_without_the_body(product: Product, path: str, accept: str) -> None:
    async with product.client(Accept=accept) as probe:
        asked, told = await probe.head(path), await probe.get(path)

    assert (asked.status_code, asked.content) == (told.status_code, b"")
    assert asked.headers["content-type"] == told.headers["content-type"]
    assert int(asked.headers["content-length"]) > 0


WRONG = (
    *("mine", "=http://a/", "my name=http://a/", "mine=ftp://hunter2/", "mine=http://", "mine=http://a:99999/hunter2"),
    *("mine=http://hunter2:x/", "mine=http://a/,mine=http://hunter2/", "mine=http://[hunter2/", "-x=http://a/"),
)


@pytest.mark.parametrize("text", WRONG)
def test_a_list_of_services_that_is_wrong_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigurationError, match="STATUS_SERVICES") as refused:
        Settings(_env_file=None, status_services=SecretStr(text)).check()

    assert "hunter2" not in refused.value.message


def test_names_and_addresses_are_read_as_they_are_written() -> None:
    assert named_urls("STATUS_SERVICES", " a=http://h/?x=1 , b.c-d=https://u:p@h:1/%2C,, ") == {
        "a": "http://h/?x=1",
        "b.c-d": "https://u:p@h:1/%2C",
    }


async def test_a_service_may_not_have_the_name_of_one_of_ours(application: ApplicationFactory) -> None:
    with pytest.raises(ConfigurationError, match="chroma is listed already"):
        async with application(settings={"status_services": "chroma=http://127.0.0.1:9/"}):
            pass


async def test_programs_are_told_what_answers_here_and_where_to_go_on() -> None:
    async with app_of() as client:
        told = await client.get("/")
    async with app_of(environment="production") as client:
        in_production = (await client.get("/")).json()

    assert (told.json()["service"], told.json()["docs"], told.headers["vary"]) == ("docent", "/docs", "Accept")
    assert told.json()["registration_open"] is True
    assert told.json()["links"] == {"openapi": "/openapi.json", "health": "/health", "mcp": "/mcp", "openai": "/v1"}
    assert (in_production["docs"], in_production["links"]["openapi"]) == (None, None)


async def test_browsers_read_a_page_that_runs_nothing_or_are_sent_to_the_user_interface() -> None:
    async with app_of() as client:
        page = await client.get("/", headers=BROWSER)
        leaving = await client.get("/", headers={**BROWSER, "Cookie": "docent_session=x"})
    async with app_of(ui_url="https://docs.example.org/app") as client:
        sent = await client.get("/", headers=BROWSER)
        told = await client.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<a href="/docs">' in page.text
    assert [path for path in ("/sign-in", "/sign-out") if path in page.text] == ["/sign-in"]
    assert [path for path in ("/sign-in", "/sign-out") if path in leaving.text] == ["/sign-out"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (sent.status_code, sent.headers["location"], sent.headers["vary"]) == (307, "https://docs.example.org/app", "Accept")
    assert told.json()["service"] == "docent"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "ui", "/\\evil.example", "http://", "https:// x"])
def test_browsers_are_sent_to_web_addresses_only(url: str) -> None:
    with pytest.raises(ConfigurationError, match="UI_URL"):
        Settings(_env_file=None, ui_url=url).check()


@pytest.mark.parametrize("url", ["/", "/?a=1", "/./", "/sign-in", "/sign-up/", "/sign-out?next=/", "/#top"])
def test_browsers_are_not_sent_in_circles(url: str) -> None:
    with pytest.raises(ConfigurationError, match="leads back"):
        Settings(_env_file=None, ui_url=url).check()


@pytest.mark.parametrize("url", ["/docs", "/ui/", "/sign-in-app/", "/.app"])
def test_browsers_may_be_sent_to_pages_of_this_server(url: str) -> None:
    Settings(_env_file=None, ui_url=url).check()
