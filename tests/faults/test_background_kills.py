"""Kill -9 in the middle of an answer in the background: it is given after the restart, once."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from backend.core.config import plain_url
from tests.faults.crashes import report
from tests.support.chroma import free_port
from tests.support.cluster import Cluster, Database
from tests.support.ollama import StandInOllama
from tests.support.product import DOCENT, Account, running_product
from tests.worker.watching import sql

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

SLOW, QUICK = 0.2, 0.0
WORDS = [f"word{number} " for number in range(200)]
SECRET = "a secret of thirty-two characters or more"


@asynccontextmanager
async def slow_ollama() -> AsyncIterator[StandInOllama]:
    """A model that takes 40 seconds for an answer."""
    async with StandInOllama(reply=WORDS, interval=SLOW) as ollama:
        yield ollama


async def asked(account: Account) -> str:
    response = await account.client.post("/api/v1/chat/background", json={"query": "Say many words."})
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


async def seen(account: Account, task_id: str, wanted: str, *, within: float = 60) -> dict[str, Any]:
    """Return a task once its state, or the stage of its progress, is this one."""
    deadline = monotonic() + within
    while True:
        task: dict[str, Any] = (await account.client.get(f"/api/v1/chat/tasks/{task_id}")).raise_for_status().json()
        if wanted in {task["state"], (task["progress"] or {}).get("stage")}:
            return task
        assert task["state"] in {"queued", "running"}, task
        assert monotonic() < deadline, f"still {task} after {within} s"
        await asyncio.sleep(0.05)


async def assert_answered_once(account: Account, task: dict[str, Any], database_url: str) -> None:
    """Check the conversation, its only answer, what was counted for it, and that nothing is left to be done."""
    place = f"/api/v1/chat/sessions/{task['session_id']}/messages"
    messages = (await account.client.get(place, params={"superseded": True})).raise_for_status().json()["items"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert (messages[1]["id"], messages[1]["status"]) == (task["message_id"], "complete")
    assert messages[1]["content"] == task["result"]["answer"] == "".join(WORDS)
    async with sql(database_url) as db:
        assert await db.fetchval("select sum(questions) from usage") == 1
        assert await db.fetchval("select attempts from tasks where state = 'succeeded'") == 2
        assert not await db.fetchval(
            "select count(*) from procrastinate_jobs where task_name = 'answer_task' and status = 'failed'"
        )


async def test_the_server_is_killed_while_it_answers_and_answers_once_after_its_restart(tmp_path: Path) -> None:
    async with slow_ollama() as ollama:
        data = tmp_path / "data"
        chosen: dict[str, Any] = {"chat_provider": "ollama", "embedder": "hashing", "port": free_port()}
        async with running_product(data, ollama_url=ollama.url, **chosen) as first, first.account() as alice:
            task_id = await asked(alice)
            await seen(alice, task_id, "writing")
            await first.kill()
            ollama.interval = QUICK
            begun = monotonic()
            async with running_product(data, ollama_url=ollama.url, **chosen):
                task = await seen(alice, task_id, "succeeded")
                report(f"answered {monotonic() - begun:.1f} s after the restart of the server began")
                url = json.loads((data / "instance.json").read_text())["app_url"]
                await assert_answered_once(alice, task, url)


@asynccontextmanager
async def worker(folder: Path, settings: dict[str, Any]) -> AsyncIterator[Process]:
    """Run ``docent worker`` until it is killed, or to the end of the block."""
    environment = {name.upper(): str(value) for name, value in {"path": "/usr/bin:/bin", **settings}.items()}
    process = await asyncio.create_subprocess_exec(str(DOCENT), "worker", stdout=PIPE, stderr=STDOUT, env=environment, cwd=folder)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await process.communicate()


async def test_only_the_worker_is_killed_and_another_one_answers_once(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    async with slow_ollama() as ollama:
        chosen: dict[str, Any] = {
            "database_url": plain_url(database.app_url),
            "database_owner_url": plain_url(database.owner_url),
            "chroma_url": cluster.chroma_url,
            "blob_url": (tmp_path / "files").as_uri(),
            "secret_key": SECRET,
            "chat_provider": "ollama",
            "embedder": "hashing",
            "ollama_url": ollama.url,
            "chat_titles": "off",
            "worker": False,
            "log_level": "warning",
        }
        alone = chosen | {"data_dir": tmp_path / "worker"}
        async with running_product(tmp_path / "data", **chosen) as api, api.account() as alice:
            task_id = await asked(alice)
            async with worker(tmp_path, alone) as first:
                await seen(alice, task_id, "writing")
                first.kill()
            ollama.interval = QUICK
            begun = monotonic()
            async with worker(tmp_path, alone):
                task = await seen(alice, task_id, "succeeded")
                report(f"answered {monotonic() - begun:.1f} s after another worker was started")
                await assert_answered_once(alice, task, database.app_url)
                # It is told to stop by another process, and frees the model.
                ollama.interval = SLOW
                second = await asked(alice)
                await seen(alice, second, "writing")
                dropped = ollama.streams_dropped
                assert (await alice.client.delete(f"/api/v1/chat/tasks/{second}")).status_code == 204
                await ollama.dropped(dropped + 1, within=20)
                assert (await seen(alice, second, "cancelled"))["result"] is None
