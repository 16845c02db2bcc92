"""The pages as a process: they are started again, end with their parent, keep to their port, and let nobody else in."""

import asyncio
import itertools
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import aiohttp
import httpx2
import pytest

from backend.adapters.servers.streamlit_pages import PagesAt, command
from backend.bootstrap.pages import _port, check_pages, pages_answer, pages_wanted
from backend.core.config import Settings
from backend.core.errors import ConfigurationError
from tests.faults.crashes import kill_below, processes_below, still_running
from tests.support.product import DOCENT, NO_TLS, Product, running_product
from tests.ui.conftest import _answering

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
SETTINGS = Settings(_env_file=None)


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(60):
        for pause in itertools.repeat(0.1):
            if not still_running(pids):
                return
            await asyncio.sleep(pause)


def found_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def environment_of(process: asyncio.subprocess.Process) -> str:
    return Path(f"/proc/{process.pid}/environ").read_text()


async def answering(url: str) -> httpx2.Response:
    """Wait until the pages answer."""
    async with httpx2.AsyncClient(verify=NO_TLS) as client, asyncio.timeout(90):
        await _answering(client, f"{url}_stcore/health")
        return await client.get(url)


async def test_pages_that_are_killed_answer_again_at_their_address(product: Product, pages: str) -> None:
    killed = kill_below(product.process.pid, lambda words: "streamlit run" in words)
    assert killed
    await gone([killed])

    assert (await answering(pages)).status_code == 200
    async with product.client() as client:
        assert (await client.get("/health")).status_code == 200


async def test_they_end_with_the_server_however_it_ends_and_say_nothing_in_its_terminal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for end in (signal.SIGKILL, signal.SIGTERM):
        async with running_product(tmp_path / "data", ui_enabled=True, chat_provider="extractive", home=home) as product:
            async with product.client(Accept="text/html") as client:
                led_to = (await client.get("/")).headers["location"]
                # It has said that it is ready: so are the pages.
                assert (await client.get(led_to)).status_code == 200
            below = list(processes_below(product.process.pid))

            product.process.send_signal(end)

            await product.process.wait()
            await gone(below)
        said = "".join(product.lines)
        assert f"In a browser  {led_to.rstrip('/')}\n" in said
        assert "treamlit" not in said
        assert "URL" not in said
        assert "http://localhost" in (tmp_path / "data" / "logs" / "ui.log").read_text()
        assert found_in(home) == []


async def test_a_port_that_is_taken_is_a_sentence_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": "0", "UI_PORT": port, "UI_ENABLED": "true"}
        process = await asyncio.create_subprocess_exec(
            str(DOCENT), "serve", stdout=PIPE, stderr=STDOUT, env=environment, cwd=tmp_path
        )
        said = (await process.communicate())[0].decode()

    assert process.returncode == 1
    assert said == f"The user interface cannot listen on 127.0.0.1, port {port}: Address already in use. Choose another UI_PORT.\n"
    assert found_in(tmp_path) == []


def test_the_usual_port_gives_way_to_a_free_one_and_the_apis_is_nobody_elses() -> None:
    with socket.socket() as usual:
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        usual.bind(("127.0.0.1", 0))
        usual.listen()
        assert _port("127.0.0.1", None, 8501) not in {0, 8501}
        with pytest.raises(ConfigurationError, match="Choose another UI_PORT"):
            _port("127.0.0.1", usual.getsockname()[1], 8000)
    with pytest.raises(ConfigurationError, match="both 9000"):
        _port("127.0.0.1", 9000, 9000)


async def test_pages_are_waited_for_until_they_listen_and_no_longer_than_is_said() -> None:
    with socket.socket() as theirs:
        theirs.bind(("127.0.0.1", 0))
        port = theirs.getsockname()[1]
        assert not await pages_answer(SETTINGS, port, within=0.2, given_up=lambda: False)
        looks = itertools.count()
        assert not await pages_answer(SETTINGS, port, within=600, given_up=lambda: next(looks) == 3)

        waiting = asyncio.create_task(pages_answer(SETTINGS, port, within=600, given_up=lambda: False))
        await asyncio.sleep(0)
        theirs.listen()
        assert await waiting


def test_without_streamlit_a_wish_for_the_pages_is_answered_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamlit", None)

    assert not pages_wanted(SETTINGS)
    with pytest.raises(ConfigurationError, match="uv sync --extra ui"):
        check_pages(SETTINGS.model_copy(update={"ui_enabled": True, "ui_port": 0}), 8000)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, True),
        ({"environment": "production"}, False),
        ({"environment": "production", "ui_enabled": True}, True),
        ({"ui_url": "https://docent.example.com/"}, False),
        ({"frontend_dir": Path("app")}, False),
        ({"ui_enabled": False}, False),
    ],
)
def test_they_run_where_they_are_wanted(settings: dict[str, object], wanted: bool) -> None:
    assert pages_wanted(SETTINGS.model_copy(update=settings)) is wanted


@pytest.mark.parametrize(
    ("host", "leads_to"),
    [
        ("localhost:8000", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "[::1]"),
        ("localhost", "localhost"),
        ("localhost:80@evil.example", "localhost"),
        ("localhost/../evil.example", "localhost"),
    ],
)
async def test_a_browser_is_led_to_the_host_that_it_asked(host: str, leads_to: str, product: Product, pages: str) -> None:
    port = pages.rstrip("/").rpartition(":")[2]
    async with product.client(Accept="text/html", Host=host) as client:
        response = await client.get("/")

    assert response.headers["location"] == f"http://{leads_to}:{port}/"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["", "<script>", "@evil.example", "//evil.example"])
async def test_a_host_that_is_no_name_leads_nowhere(host: str, product: Product, pages: str) -> None:
    async with product.client(Accept="text/html", Host=host) as client:
        response = await client.get("/")

    assert "location" not in response.headers


async def test_they_run_alone_against_the_api_that_is_named(product: Product, tmp_path: Path) -> None:
    environment = {
        **{"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UI_API_URL": product.url, "UI_PORT": "0", "SECRET_KEY": "s" * 40},
        # Streamlit's own settings come through.
        "STREAMLIT_SERVER_BASE_URL_PATH": "docent",
    }
    process = await asyncio.create_subprocess_exec(str(DOCENT), "ui", stdout=PIPE, stderr=STDOUT, env=environment, cwd=tmp_path)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(90):
            while "http://" not in (line := (await process.stdout.readline()).decode()):
                assert line, "it ended"
        port = re.findall(r":(\d+)", line)[0]
        response = await answering(f"http://127.0.0.1:{port}/docent/")
        kept = environment_of(process)
    finally:
        process.terminate()
        await process.communicate()

    assert response.status_code == 200
    assert product.url in kept
    assert "SECRET_KEY" not in kept


async def test_pages_of_other_origins_open_no_session(pages: str) -> None:
    own = pages.rstrip("/")
    port = own.rpartition(":")[2]
    async with aiohttp.ClientSession() as http:
        for origin in ("http://evil.example", "http://localhost:3000", f"http://localhost:{port}", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(f"{own}/_stcore/stream", headers={"Origin": origin})
            assert refused.value.status == 403
        async with http.ws_connect(f"{own}/_stcore/stream", headers={"Origin": own}) as socket_:
            assert not socket_.closed


async def test_strangers_are_told_nothing_and_no_page_may_frame_ours(pages: str) -> None:
    async with httpx2.AsyncClient(base_url=pages, verify=NO_TLS) as client:
        index = await client.get("/")
        told = [(await client.get(f"/_stcore/{name}")).status_code for name in ("metrics", "metrics/", "script-health-check")]
        agent = (await client.post("/_stcore/agent/interact", json={})).status_code
        upload = (await client.put("/_stcore/upload_file/a/b", files={"file": b"x"})).status_code
        listing = [(await client.get(path)).status_code for path in ("/app/static/", "/static/", "/media/", "/component/")]

    assert "frame-ancestors 'none'" in index.headers["content-security-policy"]
    assert index.headers["x-content-type-options"] == "nosniff"
    assert told == [404, 404, 404]
    assert agent == 403
    assert upload == 403
    assert 200 not in listing


def test_what_the_api_takes_may_be_uploaded_and_what_opens_doors_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION", "false")
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "1")

    environment = command(PagesAt("127.0.0.1", 9000, "http://127.0.0.1:8000", None, 1_900_000))[2]

    assert int(environment["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"]) * 1024 * 1024 >= 1_900_000
    assert environment["STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION"] == "true"
    assert environment["STREAMLIT_SERVER_PORT"] == "9000"
