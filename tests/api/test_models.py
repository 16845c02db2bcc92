"""Models as callers meet them: which there are, which a tier may name, and what is said of the others."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.test_conversations.talking import SESSIONS, act
from tests.api.test_conversations.talking import messages as said
from tests.security.isolation.world import behind_the_walls
from tests.support.ollama import Fault, InstalledModel, StandInOllama
from tests.support.product import Account, Product

SMALL = InstalledModel("tiny:latest", context_length=2048, capabilities=("completion", "insert", "thinking"))
TIERS = "/api/v1/admin/tiers"


@pytest.fixture
async def admin(product: Product) -> AsyncIterator[Account]:
    """An administrator, who leaves the tier of these tests as it was."""
    async with product.account("admin") as account:
        async with behind_the_walls(product) as database:
            await database.execute("update users set role = 'admin' where username = $1", account.username)
        before = (await account.client.get(TIERS)).raise_for_status().json()["items"][2]
        del before["name"]
        yield account
        (await account.client.patch(f"{TIERS}/enterprise", json=before)).raise_for_status()


@pytest.fixture
async def erin(product: Product) -> AsyncIterator[Account]:
    """A user of a tier that nobody else has here."""
    async with product.account("erin") as account:
        async with behind_the_walls(product) as database:
            await database.execute("update users set tier = 'enterprise' where username = $1", account.username)
        yield account


async def models(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = (await account.client.get("/api/v1/ai/models")).raise_for_status().json()
    return found


async def listed(account: Account, name: str) -> dict[str, Any]:
    """Return the models as soon as one of this name is among them: what was listed is believed for some seconds."""
    async with asyncio.timeout(60):
        while True:
            found = await models(account)
            if name in [each["id"] for each in found["models"]]:
                return found
            await asyncio.sleep(0.2)


async def settled(account: Account, task_id: str) -> dict[str, Any]:
    """Wait until a task has ended."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await account.client.get(f"/api/v1/chat/tasks/{task_id}")).raise_for_status().json()
            if found["state"] not in {"queued", "running"}:
                return found
            await asyncio.sleep(0.1)


async def messages(product: Product) -> int:
    async with behind_the_walls(product) as database:
        return int(await database.fetchval("select count(*) from messages"))


async def test_a_list_holds_for_every_spelling_in_every_way_to_ask(
    product: Product, admin: Account, erin: Account, ollama: StandInOllama
) -> None:
    ollama.registry.install(SMALL)
    everything = await listed(erin, "tiny:latest")
    assert [(each["id"], each["default"]) for each in everything["models"]] == [
        ("llama3.2:1b", True),
        ("nomic-embed-text:latest", False),
        ("tiny:latest", False),
    ]
    assert everything["unavailable"] == []
    assert everything["models"][2] == {
        "id": "tiny:latest",
        "provider": "ollama",
        "context_window": 2048,
        "size": 1_321_098_329,
        "family": "llama",
        "parameters": "1.2B",
        "quantization": "Q8_0",
        "capabilities": ["chat", "insert", "thinking"],
        "default": False,
    }
    changed = await admin.client.patch(f"{TIERS}/enterprise", json={"models": ["openai/*", "tiny"], "documents": 99})
    assert (changed.status_code, changed.json()["models"], changed.json()["documents"]) == (200, ["openai/*", "tiny"], 99)

    before = await messages(product)
    for spelled in ("llama3.2:1b", "ollama/llama3.2:1b", "nobody-has-this"):
        for stream in (True, False):
            refused = await erin.ask("May I?", model=spelled, stream=stream)
            assert (refused.status_code, refused.json()["code"]) == (403, "model_not_allowed")
            assert "openai/*, tiny" in refused.json()["detail"]
    assert await messages(product) == before
    for spelled in ("tiny", "ollama/tiny:latest"):
        assert (await erin.ask("May I?", model=spelled)).json()["model"] in {"tiny", "tiny:latest"}
    # CHAT_MODEL is not theirs: the first that is named in full answers.
    assert (await erin.ask("May I?")).json()["model"] == "tiny"
    assert [(each["id"], each["default"]) for each in (await models(erin))["models"]] == [("tiny:latest", True)]

    await admin.client.patch(f"{TIERS}/enterprise", json={"models": ["openai/*"]})
    nothing = await erin.ask("May I?")
    assert (nothing.status_code, nothing.json()["code"]) == (403, "model_not_allowed")


async def test_a_model_that_does_not_exist_is_told_before_anything_is_stored(
    product: Product, erin: Account, ollama: StandInOllama
) -> None:
    before = await messages(product)
    for stream in (True, False):
        unknown = await erin.ask("Anybody?", model="granite9:2b", stream=stream)
        assert (unknown.status_code, unknown.json()["code"]) == (422, "model_unknown")
        assert "docent models pull granite9:2b" in unknown.json()["detail"]
    assert await messages(product) == before
    # It cannot be said now, so the question is stored, and the answer says what was wrong.
    ollama.fail("/api/show", Fault(status=500))
    assert (await erin.ask("Anybody?", model="granite9:3b")).status_code == 503
    ollama.clear()


async def test_a_conversation_keeps_to_its_model_until_it_is_withdrawn(
    admin: Account, erin: Account, bob: Account, ollama: StandInOllama
) -> None:
    ollama.registry.install(SMALL)
    begun = await erin.client.post(SESSIONS, json={"model": "ollama/tiny"})
    assert (begun.status_code, begun.json()["model"]) == (201, "tiny")
    session = begun.json()["id"]
    first = (await erin.ask("One?", session_id=session)).json()
    again = await act(erin, session, first["message_id"], "regenerate")
    assert [first["model"], again.json()["model"]] == ["tiny", "tiny"]
    assert (await erin.ask("Two?", session_id=session, model="llama3.2:1b")).json()["model"] == "llama3.2:1b"
    later = await erin.client.post("/api/v1/chat/background", json={"query": "Three?", "session_id": session})
    assert (await settled(erin, later.json()["id"]))["state"] == "succeeded"
    newest = (await said(erin, session))[-1]
    assert newest["model"] == "tiny"

    branch = (await act(erin, session, newest["id"], "branch")).json()
    exported = {form: (await erin.client.get(f"{SESSIONS}/{session}/export", params={"format": form})) for form in ("md", "json")}
    assert (branch["model"], exported["json"].json()["model"]) == ("tiny", "tiny")
    assert "\nModel: tiny\n" in exported["md"].text
    other = (await erin.ask("May I?", model="tiny")).json()["session_id"]
    assert (await erin.client.get(f"{SESSIONS}/{other}")).json()["model"] == "tiny"
    assert (await erin.ask("And now?", session_id=other)).json()["model"] == "tiny"

    path = f"{SESSIONS}/{session}"
    await admin.client.patch(f"{TIERS}/enterprise", json={"models": ["llama3.2:1b"]})
    for refused in (
        await erin.ask("Four?", session_id=session),
        await erin.client.patch(path, json={"model": "tiny"}),
        await erin.client.post(SESSIONS, json={"model": "nobody-has-this"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "model_not_allowed")
    assert (await said(erin, session))[-1] == newest
    for wrong, code in (("granite9:2b", "model_unknown"), ("nomic-embed-text", "model_unknown"), ("", "request_invalid")):
        refused = await bob.client.post(SESSIONS, json={"model": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    renamed = await erin.client.patch(path, json={"title": "Mine"})
    assert (renamed.status_code, renamed.json()["model"]) == (200, "tiny")
    assert (await erin.client.patch(path, json={"model": None})).json()["model"] is None
    assert (await erin.ask("Four?", session_id=session)).json()["model"] == "llama3.2:1b"


async def test_administrators_read_and_change_tiers_and_the_log_tells(admin: Account, erin: Account) -> None:
    tiers = (await admin.client.get(TIERS)).json()["items"]
    assert [(tier["name"], tier["models"]) for tier in tiers] == [("free", None), ("pro", None), ("enterprise", None)]
    assert (await erin.client.get(TIERS)).status_code == 403

    beyond: list[dict[str, Any]] = [{"models": []}, {"models": [""]}, {"documents": None}, {"documents": -1}, {"name": "x"}]
    for wrong in (*beyond, {"requests_per_minute": 0}):
        assert (await admin.client.patch(f"{TIERS}/enterprise", json=wrong)).status_code == 422, wrong
    assert (await admin.client.patch(f"{TIERS}/gold", json={})).status_code == 422
    assert (await admin.client.patch(f"{TIERS}/enterprise", json={})).json() == tiers[2]
    changed = (await admin.client.patch(f"{TIERS}/enterprise", json={"tokens_per_day": 7, "models": ["*"]})).json()
    assert changed == tiers[2] | {"tokens_per_day": 7, "models": ["*"]}

    events = (await admin.client.get("/api/v1/admin/audit", params={"kind": "tier_changed"})).json()["items"]
    assert events[0]["details"] == {"tier": "enterprise", "tokens_per_day": 7, "models": ["*"]}
