"""Several API processes under one ``docent serve``: any of them serves any request, and none is missed when it dies."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backend.cli.processes.api_process import ApiProcess
from backend.cli.processes.charge import OF_ALL, Charge
from backend.cli.processes.fleet import Fleet
from backend.core.errors import ConfigurationError
from tests.faults.crashes import processes_below, report, still_running
from tests.faults.rolling import reply_of, roll
from tests.support.events import events_of
from tests.support.members import client_of, members_of, until
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

LONG = {"query": "Say something long", "stream": True, "resumable": True}


@pytest.fixture(scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with (
        StandInOllama(reply=reply_of, interval=0.05) as ollama,
        running_product(
            tmp_path_factory.mktemp("p") / "data",
            ready_within=120,
            api_processes=2,
            ollama_url=ollama.url,
            chat_provider="ollama",
            embedder="hashing",
            chat_max_tokens=100_000,
            shutdown_grace_seconds=1,
        ) as running,
    ):
        yield running


@pytest.fixture
async def alice(product: Product) -> AsyncIterator[Account]:
    async with product.account() as account:
        yield account


def counted(text: str, start: str) -> float:
    """Return the sum of the samples whose lines begin so."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(start))


async def followed(client: httpx2.AsyncClient, path: str) -> tuple[list[str], str]:
    """Read an answer to its end; return the kinds of its events, and its text."""
    async with client.stream("GET", path) as response:
        events = [event async for event in events_of(response)]
    return [event.name for event in events], "".join(event.data["text"] for event in events if event.name == "delta")


async def test_each_process_serves_and_any_tells_what_all_have_measured(product: Product, alice: Account) -> None:
    one, two = members_of(product)
    token = f"Bearer {alice.access_token}"
    async with client_of(product, one, Authorization=token) as here, client_of(product, two, Authorization=token) as there:
        start = 'docent_http_request_duration_seconds_count{method="GET",operation="read_me",status="200"}'
        before = counted((await here.get("/metrics")).text, start)
        for client in (here, here, there):
            assert (await client.get("/api/v1/auth/me")).json()["username"] == alice.username
        texts = [(await client.get("/metrics")).text for client in (here, there)]
    assert [counted(text, start) - before for text in texts] == [3, 3], texts[0]
    for text in texts:
        # The pools of both, and of the process that runs the jobs; a gauge that is of the system is told once.
        assert counted(text, 'docent_database_connections{state="size"}') == 30
        assert counted(text, 'docent_service_up{service="postgresql"}') == 1
        assert counted(text, "docent_queue_takers") == 2
    promtool = shutil.which("promtool")
    if promtool is not None:
        checked = subprocess.run(  # noqa: ASYNC221 - nobody else needs the loop meanwhile
            [promtool, "check", "metrics"], input=texts[0], capture_output=True, text=True, check=False, timeout=60
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


async def test_an_answer_is_stopped_and_read_to_its_end_from_the_other_process(product: Product, alice: Account) -> None:
    one, two = members_of(product)
    token = f"Bearer {alice.access_token}"
    async with client_of(product, one, Authorization=token) as here, client_of(product, two, Authorization=token) as there:
        async with here.stream("POST", "/api/v1/chat/query", json=LONG) as response:
            events = events_of(response)
            first = await anext(events)
            path = f"/api/v1/chat/sessions/{first.data['session_id']}/messages/{first.data['message_id']}"
            following = asyncio.create_task(followed(there, f"{path}/events"))
            async for event in events:
                if event.name == "delta":
                    break
            async with product.client(Authorization=token) as client:
                stopped = (await client.post(f"{path}/stop")).json()
            assert (stopped["status"], stopped["content"] != "") == ("stopped", True)
        names, text = await following
    # Without Redis the other process has it once it is stored: whole, and with its end.
    assert (names[0], names[-1], text) == ("run", "done", stopped["content"])


async def test_a_killed_process_is_missed_by_nobody(product: Product, alice: Account) -> None:
    one, two = members_of(product)
    token = f"Bearer {alice.access_token}"
    document = (await alice.upload("whales.md", b"Blue whales eat krill.")).json()["id"]
    async with client_of(product, one, Authorization=token) as here, client_of(product, two, Authorization=token) as there:
        async with here.stream("POST", "/api/v1/chat/query", json=LONG) as response:
            events = events_of(response)
            session = (await anext(events)).data["session_id"]
            os.kill(one, signal.SIGKILL)
            assert (await there.get("/api/v1/auth/me")).status_code == 200
        path = f"/api/v1/chat/sessions/{session}/messages"

        async def status() -> str:
            return str((await there.get(path)).json()["items"][-1]["status"])

        async with asyncio.timeout(60):
            while await status() == "streaming":  # noqa: ASYNC110 - asked, and told by nobody
                await asyncio.sleep(0.05)
        assert await status() == "incomplete"
        again = await there.post("/api/v1/chat/query", json={"query": "Say something short", "session_id": session})
        assert (again.status_code, again.json()["status"]) == (200, "complete"), "the conversation is not busy"
    await until(lambda: len(members_of(product)) == 2, "the process is back")
    assert one not in members_of(product)
    assert two in members_of(product)
    async with product.client(Authorization=token) as client:
        alice.client = client
        assert (await alice.settled(document))["status"] == "ready"


async def test_a_rolling_restart_marks_what_it_cuts_and_refuses_nothing(product: Product, alice: Account) -> None:
    dotenv = Path(product.environment["DATA_DIR"]).parent / ".env"
    dotenv.write_text("DOCS_ENABLED=false\n")
    rolled = await roll(product, alice, 10, lengths=("short", "middle", "long"))
    report(str(rolled))
    assert rolled.bad == {}
    assert rolled.outcomes.total() == 10
    assert rolled.outcomes["incomplete"] >= 3
    assert (len(rolled.after), set(rolled.before) & set(rolled.after)) == (2, set())
    async with product.client() as client:
        assert (await client.get("/docs")).status_code == 404, "new processes have the new settings"


async def test_a_setting_that_all_have_to_agree_on_is_not_rolled_out(product: Product) -> None:
    dotenv = Path(product.environment["DATA_DIR"]).parent / ".env"
    before, said = members_of(product), len(product.lines)
    dotenv.write_text("CHROMA_URL=http://127.0.0.1:9\n")
    product.process.send_signal(signal.SIGHUP)
    await until(lambda: any("old ones go on" in line for line in product.lines[said:]), "the refusal", within=120)
    dotenv.unlink()
    assert "CHROMA_URL changed: that needs a whole restart" in "".join(product.lines[said:])
    assert members_of(product) == before


async def test_a_process_that_may_not_start_says_why_and_is_not_waited_for(tmp_path: Path) -> None:
    def charge(number: int, reports: int) -> Charge:
        nothing = dict.fromkeys(OF_ALL, "")
        return Charge(os.getpid(), number, listener.fileno(), reports, str(tmp_path), None, embedded=False, agreed=nothing)

    over: list[int] = []

    def ended(process: ApiProcess) -> None:
        over.append(process.number)

    with socket.socket() as listener:
        fleet = Fleet(1, lambda number: ApiProcess.start(number, charge, listener.fileno()), ended, stop_seconds=60)
        with pytest.raises(ConfigurationError, match=r"DATA_DIR.* changed"):
            await fleet.open()
        await fleet.stop()
    assert over == [1]


async def test_sigterm_stores_what_is_being_said_and_the_death_of_the_parent_ends_all(product: Product, alice: Account) -> None:
    data, below = Path(product.environment["DATA_DIR"]), processes_below(product.process.pid)
    async with alice.client.stream("POST", "/api/v1/chat/query", json=LONG) as response:
        events = events_of(response)
        path = f"/api/v1/chat/sessions/{(await anext(events)).data['session_id']}/messages"
        text = ""
        async for event in events:
            if event.name == "delta":
                text = event.data["text"]
                break
        stopping = asyncio.create_task(product.stop(within=90))
        rest = [event async for event in events]
    assert await stopping == 0
    assert (rest[-1].name, rest[-1].data["code"]) == ("error", "server_stopping")
    assert still_running(below) == []
    text += "".join(event.data["text"] for event in rest if event.name == "delta")
    settings: dict[str, Any] = {"ready_within": 120, "api_processes": 2, "ollama_url": product.environment["OLLAMA_URL"]}
    async with running_product(data, **settings) as again:
        async with again.client(Authorization=f"Bearer {alice.access_token}") as client:
            stored = (await client.get(path)).json()["items"][-1]
        assert (stored["status"], stored["content"]) == ("incomplete", text)
        below = processes_below(again.process.pid)
        await again.kill()
        await until(lambda: still_running(below) == [], "nothing is left")
