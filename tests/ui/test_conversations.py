"""The list of conversations, and what can be done with each."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import BrowserContext, Page, expect
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.product import Account
from tests.ui.conftest import Visiting
from ui.parts.conversations.conversation import GROUPS, Conversation, grouped

SESSIONS = "/api/v1/chat/sessions"
HOSTILE = ("<script>alert(1)</script>", "[x](http://evil.example)", "It costs $a$ or $5", "שלום עולם", "long " * 40, "# * _1._")


async def begun(account: Account, **fields: object) -> dict[str, Any]:
    """Begin a conversation."""
    return dict((await account.client.post(SESSIONS, json=fields)).json())


def titles(app: AppTest) -> list[str]:
    """Return what the list shows."""
    return [button.label for button in app.sidebar.button if str(button.key).startswith("session-")]


def keys(app: AppTest) -> set[str]:
    """Return the keys of the buttons that are there."""
    return {str(button.key) for button in app.button}


async def test_an_account_without_conversations_is_told_where_they_will_be(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open()

    assert "Your conversations will be here." in visit.text
    assert titles(app) == []
    assert app.button(key="new-chat").label == "New conversation"


async def test_the_newest_stand_first_and_any_title_is_shown_as_it_is_written(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    made = [await begun(account, title=title[:200]) for title in HOSTILE]
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open()

    shown = titles(app)
    assert [label.replace("\\", "").strip() for label in shown] == [title.strip() for title in reversed(HOSTILE)]
    # What Markdown would read is escaped.
    assert {"\\<script\\>alert\\(1\\)\\</script\\>", "\\[x\\]\\(http\\://evil\\.example\\)"} <= set(shown)
    assert "It costs \\$a\\$ or \\$5" in shown
    assert "Today" in [caption.value for caption in app.sidebar.caption]

    app.button(key=f"session-{made[0]['id']}").click()
    await visit.run()
    assert app.query_params["session"] == made[0]["id"]
    assert not app.exception
    app.button(key="new-chat").click()
    await visit.run()
    assert "session" not in app.query_params


async def test_a_long_list_comes_in_parts_and_can_be_searched(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    for number in range(33):
        await begun(account, title=f"Talk {number}")
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open()
    assert titles(app) == [f"Talk {number}" for number in range(32, 2, -1)]

    app.button(key="conversations-more").click()
    await visit.run()
    assert len(titles(app)) == 33
    assert "conversations-more" not in keys(app)

    app.text_input(key="conversations_sought").set_value("talk 3")
    await visit.run()
    assert titles(app) == [f"Talk {number}" for number in (32, 31, 30, 3)]

    app.text_input(key="conversations_sought").set_value("100% nothing")
    await visit.run()
    assert "Nothing found." in visit.text


@pytest.mark.parametrize("fault", ["refused", "dropped", "html", "shape", "item"])
async def test_a_list_that_cannot_be_loaded_leaves_the_chat(
    fault: str, faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    await begun(account, title="Talk")
    if fault == "refused":
        faulty.refuse("GET", SESSIONS, 503, "database_unavailable", "The database is down.")
    elif fault == "dropped":
        faulty.drop("GET", SESSIONS)
    elif fault == "html":
        faulty.send("GET", SESSIONS, b"<html>Bad gateway</html>", status=502)
    elif fault == "shape":
        faulty.say("GET", SESSIONS, ["odd"])
    else:
        faulty.say("GET", SESSIONS, {"items": [{"id": 7}], "next_cursor": None})
    visit = visiting(faulty.url, account.access_token)
    app = await visit.open()
    assert not app.exception
    assert len(app.sidebar.error) == 1
    assert len(app.chat_input) == 1

    faulty.clear()
    app.button(key="conversations-again").click()
    await visit.run()
    assert titles(app) == ["Talk"]


async def test_an_address_that_names_no_conversation_of_ones_own_opens_a_new_one_and_says_so(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    for named in (str(uuid4()), "../../auth/me"):
        visit = visiting(faulty.url, account.access_token)
        visit.app.query_params["session"] = named
        app = await visit.open()

        assert "This conversation does not exist, or was deleted." in visit.text
        assert "session" not in app.query_params
        assert len(app.chat_input) == 1
        app.button(key="new-chat").click()
        await visit.run()
        assert "does not exist" not in visit.text


async def test_whoever_looks_at_another_page_finds_the_conversation_again(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    one = await begun(account, title="Talk")
    visit = visiting(faulty.url, account.access_token)
    visit.app.query_params["session"] = one["id"]
    app = await visit.open("documents")
    app.query_params.clear()

    app.switch_page("views/chat.py")
    await visit.run()
    assert app.query_params["session"] == one["id"]

    # Whereas going back to an address without one, on this page, is a new conversation.
    app.query_params.clear()
    await visit.run()
    assert "session" not in app.query_params


async def test_a_conversation_is_renamed_and_deleted_and_failures_are_told_in_the_dialog(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    one = await begun(account, title="Talk")
    visit = visiting(faulty.url, account.access_token)
    visit.app.query_params["session"] = one["id"]
    app = await visit.open()
    app.menu_button(key=f"conversation-menu-list-{one['id']}").click("Rename")
    await visit.run()
    app.text_input(key=f"title-{one['id']}").set_value("Walk & talk")
    faulty.refuse("PATCH", f"{SESSIONS}/.*", 503, "database_unavailable", "The database is down.")
    submit = next(button for button in app.button if button.label == "Rename")
    submit.click()
    await visit.run()
    assert "The database is down." in visit.text

    faulty.clear()
    next(button for button in app.button if button.label == "Rename").click()
    await visit.run()
    assert titles(app) == ["Walk \\& talk"]
    assert f"title-{one['id']}" not in {field.key for field in app.text_input}

    app.menu_button(key=f"conversation-menu-open-{one['id']}").click("Delete")
    await visit.run()
    assert (await account.client.get(f"{SESSIONS}/{one['id']}")).status_code == 200
    app.button(key="delete-conversation").click()
    await visit.run()
    assert (await account.client.get(f"{SESSIONS}/{one['id']}")).status_code == 404
    assert titles(app) == []
    assert "session" not in app.query_params


def test_groups_follow_the_days_of_who_looks() -> None:
    def at(moment: str) -> Conversation:
        told = {"id": moment, "title": "t", "updated_at": moment, "document_ids": None, "strict": False}
        return Conversation.of(told)

    moments = ("2026-03-10T00:30:00+00:00", "2026-03-09T22:30:00+00:00", "2026-03-09T01:00:00+00:00", "2026-03-03T23:30:00+00:00")
    listed = [at(moment) for moment in (*moments, "2026-03-03T22:30:00+00:00")]
    now = datetime(2026, 3, 10, 8, tzinfo=UTC)

    def places(zone: str) -> list[str]:
        return [name for name, members in grouped(listed, now.astimezone(ZoneInfo(zone))) for _ in members]

    today, yesterday, week, earlier = GROUPS
    assert places("UTC") == [today, yesterday, yesterday, earlier, earlier]
    assert places("Europe/Berlin") == [today, yesterday, yesterday, week, earlier]
    assert places("Asia/Tokyo") == [today, today, yesterday, week, week]


async def test_in_a_browser_a_conversation_is_renamed_exported_and_deleted(
    pages: str, account: Account, context: BrowserContext, page: Page
) -> None:
    one = await begun(account, title="Talk")
    await begun(account, title="Another")
    await context.add_cookies([{"name": "docent_session", "value": account.access_token, "url": pages}])
    await page.goto(f"{pages}?session={one['id']}")
    menu = page.get_by_test_id("stSidebar").get_by_role("button", name="What to do with Talk")
    await menu.click()
    await page.get_by_role("menuitem", name="Rename").click()
    await page.get_by_label("Title").fill("שלום & $5")
    await page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    sidebar = page.get_by_test_id("stSidebar")
    await expect(sidebar.get_by_role("button", name="שלום & $5", exact=True)).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)

    menu = sidebar.get_by_role("button", name="What to do with שלום & $5")
    await menu.click()
    await page.get_by_role("menuitem", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="JSON, with everything").click()
    exported = await download.value
    assert exported.suggested_filename == "שלום 5.json"
    assert json.loads((await exported.path()).read_text())["title"] == "שלום & $5"
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()

    await menu.click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(sidebar.get_by_role("button", name="שלום & $5", exact=True)).to_have_count(0)
    await expect(sidebar.get_by_role("button", name="Another", exact=True)).to_be_visible()
    await expect(page).not_to_have_url(f"{pages}?session={one['id']}")
