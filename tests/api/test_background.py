"""Questions in the background and the queue, over a socket; and the recipe, word for word."""

import asyncio
import re
import shutil
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from tests.support.files import WHALES
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account, Product
from tests.worker.watching import sql

BACKGROUND, TASKS, QUEUE = "/api/v1/chat/background", "/api/v1/chat/tasks", "/api/v1/admin/queue"
RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "background.md"


async def asked(account: Account, query: str = "What do blue whales eat?", **fields: Any) -> dict[str, Any]:
    response = await account.client.post(BACKGROUND, json={"query": query, **fields})
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"{TASKS}/{response.json()['id']}"
    made: dict[str, Any] = response.json()
    return made


async def ended(account: Account, task: dict[str, Any], *, within: float = 60) -> dict[str, Any]:
    deadline = monotonic() + within
    while True:
        found: dict[str, Any] = (await account.client.get(f"{TASKS}/{task['id']}")).raise_for_status().json()
        if found["state"] not in {"queued", "running"}:
            assert found["progress"] is None
            return found
        assert monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def failing(account: Account, ollama: StandInOllama) -> dict[str, Any]:
    """Ask for what fails for good: the model was removed since."""
    ollama.fail("/api/chat", Fault(status=404, body={"error": "model not found"}))
    failed = await ended(account, await asked(account, "secret question"))
    ollama.clear("/api/chat")
    return failed


async def test_the_result_is_the_answer_and_the_list_goes_on(product: Product, alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()
    await alice.settled(document["id"])
    first = await asked(alice, document_ids=[document["id"]], temperature=0.5)
    done = await ended(alice, first)

    assert (done["state"], done["result"]["answer_status"], done["error"]) == ("succeeded", "grounded", None)
    place = f"/api/v1/chat/sessions/{first['session_id']}/messages"
    _, message = (await alice.client.get(place)).json()["items"]
    assert (message["id"], message["content"]) == (first["message_id"], done["result"]["answer"])
    assert message["sources"] == done["result"]["sources"] != []

    second = await asked(alice, session_id=first["session_id"])
    await ended(alice, second)
    page = (await alice.client.get(TASKS, params={"limit": 1, "state": "succeeded"})).json()
    assert [task["id"] for task in page["items"]] == [second["id"]]
    rest = (await alice.client.get(TASKS, params={"cursor": page["next_cursor"]})).json()
    assert ([task["id"] for task in rest["items"]], rest["next_cursor"]) == ([first["id"]], None)
    assert (await alice.client.get(TASKS, params={"state": "failed"})).json()["items"] == []

    for status in (204, 404):
        assert (await alice.client.delete(f"{TASKS}/{first['id']}")).status_code == status
    assert len((await alice.client.get(place)).json()["items"]) == 4


async def test_the_same_request_again_is_the_same_task(product: Product, alice: Account) -> None:
    once, body = {"Idempotency-Key": uuid4().hex}, {"query": "Once?"}
    first = await alice.client.post(BACKGROUND, json=body, headers=once)
    again = await alice.client.post(BACKGROUND, json=body, headers=once)
    await ended(alice, first.json())
    later = await alice.client.post(BACKGROUND, json=body, headers=once)
    other = await alice.client.post(BACKGROUND, json={"query": "Twice?"}, headers=once)

    assert first.json()["id"] == again.json()["id"] == later.json()["id"]
    assert later.json()["state"] == "succeeded"
    replayed = [response.headers.get("idempotent-replayed") for response in (first, again, later)]
    assert replayed == [None, "true", "true"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await alice.client.get(TASKS)).json()["items"]) == 1


async def test_what_goes_wrong_is_told_before_or_by_the_task(product: Product, alice: Account, ollama: StandInOllama) -> None:
    unknown = str(uuid4())
    for fields, status, code in (
        ({"session_id": unknown}, 404, "session_not_found"),
        ({"document_ids": [unknown]}, 404, "document_not_found"),
        ({"stream": True}, 422, "request_invalid"),
        ({"resumable": False}, 422, "request_invalid"),
        ({"model": "no-such-model"}, 422, "model_unknown"),
    ):
        refused = await alice.client.post(BACKGROUND, json={"query": "Well?", **fields})
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await alice.client.get(f"{TASKS}/{unknown}")).json()["code"] == "task_not_found"
    assert (await alice.client.get(TASKS, params={"state": "lost"})).status_code == 422

    failed = await failing(alice, ollama)
    assert (failed["state"], failed["error"]["code"], failed["result"]) == ("failed", "model_missing", None)

    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    running = await asked(alice)
    busy = await alice.client.post("/api/v1/chat/query", json={"query": "I too?", "session_id": running["session_id"]})
    assert (busy.status_code, busy.json()["code"]) == (409, "session_busy")
    assert (await alice.client.delete(f"{TASKS}/{running['id']}")).status_code == 204
    cancelled = await ended(alice, running)
    assert (cancelled["state"], cancelled["error"]) == ("cancelled", None)


async def test_only_administrators_see_the_queue_and_no_content_in_it(
    product: Product, alice: Account, bob: Account, ollama: StandInOllama
) -> None:
    for path in (QUEUE, f"{QUEUE}/failures"):
        refused = await alice.client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "admin_only")
    broken = (await bob.upload("secret name.pdf", b"%PDF-1.7 nothing else")).json()
    assert (await bob.settled(broken["id"]))["status"] == "failed"
    failed = await failing(bob, ollama)
    ollama.interval = 0.2
    running = await asked(bob)
    owner = (await bob.client.get("/api/v1/auth/me")).json()["id"]
    async with sql(product.database_url()) as db:
        await db.execute("update users set role = 'admin' where username = $1", alice.username)

    async with asyncio.timeout(30):
        while not (found := await _running(alice, running["id"])):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    state, job = found
    assert (job["job"], job["owner_id"]) == ("answer_task", owner)
    assert next(depth for depth in state["depth"] if depth["job"] == "answer_task")["running"] >= 1
    # Something of a test before may be running, too.
    assert {worker["alive"] for worker in state["workers"] if worker["running"]} == {True}
    page = (await alice.client.get(f"{QUEUE}/failures", params={"limit": 1})).json()
    rest = (await alice.client.get(f"{QUEUE}/failures", params={"cursor": page["next_cursor"], "limit": 1})).json()
    failures = [(one["kind"], one["id"], one["error_code"]) for one in (*page["items"], *rest["items"])]
    assert failures == [("task", failed["id"], "model_missing"), ("document", broken["id"], "document_unreadable")]
    assert "secret" not in str([state, page, rest])
    await bob.client.delete(f"{TASKS}/{running['id']}")


async def _running(admin: Account, task_id: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    state: dict[str, Any] = (await admin.client.get(QUEUE)).raise_for_status().json()
    return next(((state, job) for job in state["running"] if job["subject_id"] == task_id), None)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the recipe is made with curl, which is not installed")
async def test_the_recipe_works_as_it_is_written(product: Product, alice: Account, tmp_path: Path) -> None:
    script = "\n".join(re.findall(r"```bash\n(.*?)```", RECIPE.read_text(encoding="utf-8"), re.DOTALL))
    environment = {"PATH": product.environment["PATH"], "TOKEN": alice.access_token, "KEY": uuid4().hex}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8000", product.url)),
        env=environment,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        said, wrong = await process.communicate()
    assert (process.returncode, wrong) == (0, b"")
    assert said.strip()
    assert (await alice.client.get(TASKS)).json()["items"] == []
