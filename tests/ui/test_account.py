"""One's own account: every part of the page, empty, full, and with an API that fails."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import PASSWORD, Account
from tests.ui.conftest import Visiting

ME = "/api/v1/auth/me"
KEYS = "/api/v1/auth/keys"
SIGN_INS = f"{ME}/sign-ins"
HOSTILE = "<script>alert(1)</script> [x](http://evil.example) $a$ ![](http://evil.example/i.png)"


@pytest.fixture
async def visit(faulty: FaultyApi, account: Account, visiting: Visiting) -> Visit:
    """Somebody new on their account page."""
    there = visiting(faulty.url, account.access_token)
    await there.open("account")
    return there


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()


def fill(app: AppTest, label: str, text: str) -> None:
    next(field for field in app.text_input if field.label.startswith(label)).set_value(text)


def errors(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


async def test_a_new_account_has_nothing_that_could_be_ended_and_has_used_nothing(visit: Visit, account: Account) -> None:
    assert not visit.app.exception
    assert not errors(visit.app)
    for sentence in ("No keys yet.", "You are signed in nowhere else.", "Nothing was used in this time."):
        assert sentence in visit.text
    assert "0 of 100 documents" in [bar.proto.text for bar in visit.app.get("progress")]
    assert not visit.app.get("vega_lite_chart")


async def test_name_and_address_are_changed_and_what_is_wrong_stands_beside_its_field(
    visit: Visit, account: Account, faulty: FaultyApi
) -> None:
    fill(visit.app, "Your name", HOSTILE)
    fill(visit.app, "Email", "no address")
    press(visit.app, "Save")
    await visit.run()
    refused = errors(visit.app)
    fill(visit.app, "Email", f"ada-{account.username}@example.com")
    press(visit.app, "Save")
    await visit.run()

    me = (await account.client.get(ME)).json()
    assert refused == ["This is no email address. One looks like ada@example.com."]
    assert "Saved." in visit.text
    assert (me["full_name"], me["email"]) == (HOSTILE, f"ada-{account.username}@example.com")
    assert "\\<script\\>" in next(caption.value for caption in visit.app.caption if "Signed in as" in caption.value)

    faulty.refuse("PATCH", ME, 409, "email_taken", "Another account has this address.")
    press(visit.app, "Save")
    await visit.run()
    assert errors(visit.app) == ["Another account has this address."]


async def test_a_password_is_changed_once_and_the_page_says_what_ended(visit: Visit, account: Account, faulty: FaultyApi) -> None:
    async def change(present: str, new: str, again: str) -> None:
        fill(visit.app, "Present password", present)
        fill(visit.app, "New password (", new)
        fill(visit.app, "New password again", again)
        press(visit.app, "Change the password")
        await visit.run()

    await change("", "short", "another")
    assert errors(visit.app) == ["Enter your present password.", "At least 8 characters.", "The two are not the same."]
    await change("not the password", "a new password", "a new password")
    assert errors(visit.app) == ["The present password is not right."]
    await change(PASSWORD, "a new password", "a new password")

    # An access token ends with it, unlike a browser's sign-in.
    assert not visit.app.exception
    assert "Your password is changed. Sign in with the new one." in visit.text
    assert not visit.app.text_input


async def test_who_stays_signed_in_is_told_so(visit: Visit, faulty: FaultyApi) -> None:
    async def changed(_: web.Request) -> web.Response:
        return web.Response(status=204)

    faulty.answer("POST", f"{ME}/password", changed)
    for label in ("Present password", "New password (", "New password again"):
        fill(visit.app, label, PASSWORD)
    press(visit.app, "Change the password")
    await visit.run()

    assert "You are still signed in here" in visit.text
    assert {field.value for field in visit.app.text_input if "assword" in field.label} == {""}


async def test_a_key_is_shown_once_with_a_line_that_works_and_revoked_after_a_question(visit: Visit, account: Account) -> None:
    press(visit.app, "Make the key")
    await visit.run()
    assert errors(visit.app) == ["Give it a name, such as that of the program that will use it."]
    fill(visit.app, "Name of a new key", "laptop *1*")
    visit.app.selectbox[0].select(30)
    press(visit.app, "Make the key")
    await visit.run()
    key, line = (code.value for code in visit.app.code)
    press(visit.app, "I have kept it")
    await visit.run()

    made = (await account.client.get(KEYS)).json()["items"]
    ends = datetime.fromisoformat(made[0]["expires_at"]) - datetime.now(UTC)
    assert [(one["name"], one["scopes"]) for one in made] == [("laptop *1*", ["chat"])]
    assert timedelta(days=29) < ends <= timedelta(days=30)
    assert key.startswith(made[0]["prefix"])
    assert line.startswith("curl http://127.0.0.1")
    assert f"'Authorization: Bearer {key}'" in line
    assert not visit.app.code
    assert "laptop \\*1\\*" in visit.text
    assert "Never used\\. Ends " in visit.text

    press(visit.app, "Revoke")
    await visit.run()
    assert len((await account.client.get(KEYS)).json()["items"]) == 1, "nothing happens without a second click"
    press(visit.app, "Revoke the key")
    await visit.run()
    assert (await account.client.get(KEYS)).json()["items"] == []
    assert "The key is revoked." in visit.text


async def test_sign_ins_elsewhere_are_listed_and_ended(visit: Visit, account: Account) -> None:
    agents = ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "curl/8.1", HOSTILE)
    body = {"username": account.username, "password": PASSWORD}
    for agent in agents:
        await account.client.post("/api/v1/auth/login", json=body, headers={"User-Agent": agent})
    await visit.run()
    listed = visit.text
    next(button for button in visit.app.button if button.label == "End").click()
    await visit.run()
    left = (await account.client.get(SIGN_INS)).json()["items"]
    press(visit.app, "End all others")
    await visit.run()

    assert "**Edge on Windows**" in listed
    assert "**curl**" in listed
    assert "This one" in listed
    assert "<script>" not in listed.replace("\\<script\\>", "")
    assert len(left) == len(agents)
    assert "2 sign-ins have ended." in visit.text
    assert [one["current"] for one in (await account.client.get(SIGN_INS)).json()["items"]] == [True]


async def test_days_of_use_are_plotted_with_those_without(visit: Visit, faulty: FaultyApi) -> None:
    today = datetime.now(UTC).date()
    day = {"day": str(today - timedelta(days=2)), "questions": 3, "prompt_tokens": 12_000, "completion_tokens": 345}
    faulty.say("GET", f"{ME}/usage/days", {"days": [day]})
    await visit.run()

    assert not visit.app.exception
    assert {metric.label: metric.value for metric in visit.app.metric} == {
        "Questions": "3",
        "Tokens read": "12,000",
        "Tokens written": "345",
    }
    assert len(visit.app.get("vega_lite_chart")) == 2


async def test_everything_is_prepared_as_a_file_or_the_reason_is_said(visit: Visit, faulty: FaultyApi) -> None:
    press(visit.app, "Prepare the export")
    await visit.run()
    assert [button.proto.label.partition(" (")[0] for button in visit.app.get("download_button")] == ["Save docent-export.zip"]

    faulty.refuse("GET", f"{ME}/export", 429, "rate_limited", "One export at a time.", **{"Retry-After": "90"})
    press(visit.app, "Prepare the export")
    await visit.run()
    assert errors(visit.app) == ["One export at a time. Try again in 2 minutes."]
    assert not visit.app.get("download_button")


async def test_an_account_is_deleted_by_who_knows_its_name_and_password(visit: Visit, account: Account) -> None:
    async def confirm(name: str, password: str) -> None:
        fill(visit.app, "Type your username", name)
        fill(visit.app, "Your password", password)
        press(visit.app, "Delete everything")
        await visit.run()

    press(visit.app, "Delete this account")
    await visit.run()
    await confirm("somebody", "")
    assert errors(visit.app) == ["This is not your username.", "Enter your password."]
    await confirm(account.username, "not the password")
    assert errors(visit.app) == ["The present password is not right."]
    assert (await account.client.get(ME)).status_code == 200
    await confirm(account.username, PASSWORD)

    assert (await account.client.get(ME)).status_code == 401
    assert "Your account is deleted." in visit.text
    assert not visit.app.text_input


@pytest.mark.parametrize("path", [SIGN_INS, KEYS, f"{ME}/usage", f"{ME}/usage/days"])
async def test_a_part_that_fails_says_so_and_leaves_the_others(visit: Visit, faulty: FaultyApi, path: str) -> None:
    faulty.refuse("GET", path, 503, "database_unavailable", "The database is away.")
    await visit.run()
    down = errors(visit.app)
    faulty.say("GET", path, {"items": [{"id": 1}], "next_cursor": None, "days": [None], "tier": 1, "enforced": 1, "limits": 3})
    await visit.run()

    assert down == ["The database is away."]
    assert not visit.app.exception
    assert len(errors(visit.app)) == 1
    assert "Save" in visit.text
