"""Administration: each tab is loaded when it is looked at, fails alone, and says what happened."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from tests.support.administrator import administrator
from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import PASSWORD, Account, Product
from tests.ui.conftest import Visiting
from ui.parts.administration.usage import every_day

LOADED_FROM = {
    "Services": "/services/status",
    "Users": "/api/v1/users",
    "Queue": "/api/v1/admin/queue",
    "Usage": "/api/v1/admin/usage",
    "Tiers": "/api/v1/admin/tiers",
    "Search index": "/api/v1/admin/reindex",
    "Events": "/api/v1/admin/audit",
}


@pytest.fixture(scope="module")
async def admin(product: Product) -> AsyncIterator[Account]:
    """An administrator."""
    async with administrator(product) as somebody:
        yield somebody


@pytest.fixture
async def visit(faulty: FaultyApi, admin: Account, visiting: Visiting) -> Visit:
    """The administrator's visit of the page."""
    found = visiting(faulty.url, admin.access_token)
    await found.open("admin")
    return found


async def look_at(tab: str, visit: Visit) -> str:
    """Turn to a tab; return what it shows."""
    visit.app.session_state["tab"] = tab
    await visit.run()
    assert not visit.app.exception
    return shown(visit)


def shown(visit: Visit) -> str:
    tables = [frame.value.to_string() for frame in visit.app.dataframe]
    return "\n".join([visit.text.replace("\\", ""), *(f"{metric.label} {metric.value}" for metric in visit.app.metric), *tables])


async def press(visit: Visit, *labels: str) -> str:
    """Press buttons in one go: those of a dialog are there as long as the one is pressed that opens it."""
    for label in labels:
        next(button for button in visit.app.button if button.label == label).click()
    await visit.run()
    assert not visit.app.exception
    return shown(visit)


async def select(visit: Visit, row: int) -> str:
    key = visit.app.dataframe[0].key
    assert key is not None
    visit.app.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    await visit.run()
    return shown(visit)


async def test_a_tab_is_loaded_when_it_is_looked_at_and_not_before(faulty: FaultyApi, visit: Visit) -> None:
    for tab, path in LOADED_FROM.items():
        faulty.seen.clear()
        await look_at(tab, visit)

        others = {f"GET {other}" for other in LOADED_FROM.values()} - {f"GET {path}", "GET /api/v1/users"}
        assert f"GET {path}" in faulty.seen
        assert not others & set(faulty.seen)
        assert not visit.app.error


@pytest.mark.parametrize("fault", ["refused", "broken off", "no JSON", "another shape", "rows of another shape"])
async def test_a_tab_that_fails_says_so_and_the_others_go_on(fault: str, faulty: FaultyApi, visit: Visit) -> None:
    for tab, path in LOADED_FROM.items():
        match fault:
            case "refused":
                faulty.refuse("GET", path, 503, "database_unavailable", "The database is not available right now.")
            case "broken off":
                faulty.drop("GET", path)
            case "no JSON":
                faulty.send("GET", path, b"<h1>502 Bad Gateway</h1>")
            case "another shape":
                faulty.say("GET", path, {"message": "hello"})
            case _:
                rows = [{"id": 1, "name": "free", "day": datetime.now(UTC).date().isoformat(), "questions": "many"}]
                faulty.say("GET", path, rows if tab == "Services" else {"items": rows, "days": rows, "next_cursor": None})

        text = await look_at(tab, visit)

        assert [error.value.endswith(".") for error in visit.app.error] == [True], tab
        assert "Traceback" not in text
        faulty.clear()
    await look_at("Services", visit)
    assert not visit.app.error


async def test_whoever_is_no_administrator_reads_the_refusal(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    me = (await account.client.get("/api/v1/auth/me")).json()
    faulty.say("GET", "/api/v1/auth/me", {**me, "role": "admin"})

    visit = visiting(faulty.url, account.access_token)
    app = await visit.open("admin")

    assert [error.value for error in app.error] == ["Only administrators may do that."]
    assert not app.tabs


async def test_a_service_that_is_down_or_slow_is_told_in_words(faulty: FaultyApi, visit: Visit) -> None:
    up = {"name": "chroma", "url": "", "status": "up", "response_time_ms": 12.0, "detail": None}
    down = {**up, "name": "my_*proxy*", "status": "down", "response_time_ms": 2000.0, "detail": "Nobody answers."}
    faulty.say("GET", "/services/status", [up, {**up, "name": "ollama", "response_time_ms": 1500.4}, down])

    text = await look_at("Services", visit)

    assert [word for word in ("Up", "Slow", "Down") if f": {word}]" in text] == ["Up", "Slow", "Down"]
    assert "1,500 ms" in text
    assert "Nobody answers." in text
    assert [warning.value for warning in visit.app.warning] == ["Down: my\\_\\*proxy\\*."]


async def test_an_account_is_made_changed_given_a_reset_link_and_deleted(product: Product, visit: Visit) -> None:
    name = f"new-{uuid4().hex[:8]}"
    await look_at("Users", visit)
    await press(visit, "New account")
    for label, value in (("Username", name), ("Email", f"{name}@example.com"), ("Password", PASSWORD)):
        next(field for field in visit.app.text_input if field.label == label).set_value(value)
    assert f"The account {name} is there" in await press(visit, "New account", "Make the account")
    visit.app.text_input(key="accounts-search").set_value(name)
    await visit.run()
    assert len(visit.app.dataframe[0].value) == 1

    await select(visit, 0)
    await press(visit, "Make a reset link")
    token = visit.app.code[0].value
    assert not (await visit.run()).code
    async with product.client() as client:
        reset = {"token": token, "new_password": "another good password"}
        assert (await client.post("/api/v1/auth/reset-password", json=reset)).status_code == 204

    next(field for field in visit.app.selectbox if field.label == "Tier").set_value("pro")
    visit.app.toggle[0].set_value(False)
    assert f"{name} was changed." in await press(visit, "Save")
    assert visit.app.dataframe[0].value[["Tier", "State"]].to_numpy().tolist() == [["Pro", "Disabled"]]

    await press(visit, "Delete")
    assert next(button for button in visit.app.button if button.label == "Delete the account").disabled
    next(field for field in visit.app.text_input if field.label == "Type the username to confirm").set_value(name)
    await press(visit, "Delete")
    assert "was deleted." in await press(visit, "Delete", "Delete the account")
    assert [info.value for info in visit.app.info] == ["No account has that in its name or address."]


async def test_the_last_administrator_cannot_lock_themselves_out(admin: Account, visit: Visit) -> None:
    await look_at("Users", visit)
    visit.app.text_input(key="accounts-search").set_value(admin.username)
    await visit.run()
    await select(visit, 0)
    visit.app.toggle[0].set_value(False)

    await press(visit, "Save")

    assert [error.value for error in visit.app.error] == ["This is the last active administrator."]


async def test_the_queue_tells_what_waits_who_works_and_why_something_failed(
    faulty: FaultyApi, account: Account, visit: Visit
) -> None:
    broken = (await account.upload("broken.pdf", b"%PDF-1.4 and no more")).json()
    assert (await account.settled(broken["id"]))["status"] == "failed"
    depth = {"job": "index_document", "waiting": 1200, "scheduled": 1, "running": 2, "failed": 3}
    job = {"job": "of_tomorrow", "owner_id": None, "subject_id": None, "attempts": 1, "since": None}
    dead = {"id": 7, "last_heartbeat": "2026-01-01T00:00:00Z", "alive": False, "running": 0}
    state = {"depth": [depth], "oldest_waiting_seconds": 7300.0, "running": [job], "failed": [], "workers": [dead]}
    faulty.say("GET", "/api/v1/admin/queue", state)

    text = await look_at("Queue", visit)

    for said in ("Waiting 1,200", "Longest wait 2 hours", "Index a document", "of_tomorrow", "Not heard of", "No worker is alive"):
        assert said in text
    assert "The file is damaged, or not what its name says." in text
    assert account.username in text


async def test_usage_is_drawn_for_every_day_of_the_period(faulty: FaultyApi, visit: Visit) -> None:
    today = datetime.now(UTC).date()
    used = {"questions": 3, "prompt_tokens": 1000, "completion_tokens": 200, "accounts": 2}
    faulty.say("GET", "/api/v1/admin/usage", {"days": [{**used, "day": today.isoformat()}]})

    text = await look_at("Usage", visit)

    assert "1,200 in all (read 1,000, written 200), 1,200 on the busiest day." in text
    assert len(visit.app.get("vega_lite_chart")) == 3


def test_days_without_use_are_filled() -> None:
    today = date(2026, 3, 1)
    used = {"day": "2026-02-28", "questions": 3, "prompt_tokens": 1, "completion_tokens": 2, "accounts": 1}

    days = every_day([used], 7, today)

    assert [day["day"] for day in days] == [(today - timedelta(days=ago)).isoformat() for ago in (6, 5, 4, 3, 2, 1, 0)]
    assert [day["questions"] for day in days] == [0, 0, 0, 0, 0, 3, 0]
