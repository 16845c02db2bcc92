"""What can be set of a conversation: its documents, its strictness, its model; also before it has begun."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.support.product import Account
from tests.ui.conftest import Visiting
from tests.ui.test_conversations import SESSIONS, begun

MODEL = {"provider": "ollama", "context_window": 1, "size": None, "family": None, "parameters": None, "quantization": None}
MODELS = {
    "models": [
        {**MODEL, "id": "small", "capabilities": ["chat"], "default": True},
        {**MODEL, "id": "large", "capabilities": ["chat", "tools"], "default": False},
        {**MODEL, "id": "vectors", "capabilities": ["embedding"], "default": False},
    ],
    "unavailable": ["openai"],
}


async def uploaded(account: Account, name: str) -> str:
    """Upload a document and return its id."""
    return str((await account.upload(name, f"This is {name}.".encode())).json()["id"])


async def settings_of(visit: Visit, session: dict[str, Any] | None) -> AppTest:
    """Open the settings of a conversation, or of a new one."""
    if session is not None:
        visit.app.query_params["session"] = session["id"]
    app = await visit.open()
    app.button(key=f"settings-{session['id'] if session else 'new'}").click()
    await visit.run()
    assert not app.exception
    return app


async def saved(visit: Visit) -> None:
    """Press the button."""
    next(button for button in visit.app.button if button.label == "Save").click()
    await visit.run()
    assert not visit.app.exception


def _first_question() -> None:
    """A page of its own, of which Streamlit reads the text alone."""
    import streamlit as st

    from ui.parts import conversations

    st.text(str(conversations.session_for_first_question()))
    st.text(str(conversations.open_session()))


async def test_documents_and_strictness_are_kept_and_deleted_documents_are_told(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    first, second = [await uploaded(account, name) for name in ("first.txt", "second.txt")]
    session = await begun(account, title="Talk", document_ids=[first])
    await account.client.delete(f"/api/v1/chat/documents/{first}")
    visit = visiting(faulty.url, account.access_token)
    app = await settings_of(visit, session)
    assert "1 of the chosen documents was deleted. None is left" in visit.text
    assert app.selectbox[0].value is None

    app.multiselect[0].set_value([second])
    app.toggle[0].set_value(True)
    await saved(visit)

    kept = (await account.client.get(f"{SESSIONS}/{session['id']}")).json()
    assert (kept["document_ids"], kept["strict"]) == ([second], True)
    assert not app.toggle
    assert app.button(key=f"settings-{session['id']}").label == "1 document, documents alone"


async def test_a_model_is_chosen_where_conversations_have_one(faulty: FaultyApi, account: Account, visiting: Visiting) -> None:
    session = {**await begun(account, title="Talk"), "model": "gone"}
    faulty.say("GET", "/api/v1/ai/models", MODELS)
    faulty.say("GET", f"{SESSIONS}/{session['id']}", session)
    sent: list[Any] = []

    async def patched(request: web.Request) -> web.Response:
        sent.append(await request.json())
        return web.json_response(session)

    faulty.answer("PATCH", f"{SESSIONS}/{session['id']}", patched)
    visit = visiting(faulty.url, account.access_token)
    app = await settings_of(visit, session)
    assert app.selectbox[0].options == ["Default (small)", "small", "large", "gone (not available now)"]
    assert app.selectbox[0].value == "gone"
    assert "openai" in visit.text

    app.selectbox[0].set_value("large")
    await saved(visit)

    assert sent == [{"document_ids": None, "strict": False, "model": "large"}]


@pytest.mark.parametrize("path", ["/api/v1/ai/models", "/api/v1/chat/documents"])
async def test_what_cannot_be_loaded_stays_as_it_was_and_the_rest_can_be_set(
    path: str, faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    document = await uploaded(account, "first.txt")
    session = await begun(account, title="Talk", document_ids=[document])
    faulty.say("GET", f"{SESSIONS}/{session['id']}", {**session, "model": None})
    faulty.refuse("PATCH", f"{SESSIONS}/.*", 503, "database_unavailable", "The database is down.")
    faulty.say("GET", path, {"shape": "another"})
    visit = visiting(faulty.url, account.access_token)
    app = await settings_of(visit, session)
    assert "cannot read" in visit.text

    app.toggle[0].set_value(True)
    await saved(visit)
    assert "The database is down." in visit.text
    assert app.toggle[0].value


async def test_a_chat_that_has_not_begun_begins_with_what_was_chosen(
    faulty: FaultyApi, account: Account, visiting: Visiting
) -> None:
    document = await uploaded(account, "first.txt")
    visit = visiting(faulty.url, account.access_token)
    app = await settings_of(visit, None)
    app.multiselect[0].set_value([document])
    app.toggle[0].set_value(True)
    await saved(visit)
    assert app.button(key="settings-new").label == "1 document, documents alone"

    nothing, chosen = AppTest.from_function(_first_question), AppTest.from_function(_first_question)
    chosen.session_state["settings_of_the_next"] = app.session_state["settings_of_the_next"]
    unset = await asyncio.to_thread(nothing.run)
    assert [text.value for text in unset.text] == ["None", "None"]
    asked = await asyncio.to_thread(chosen.run)
    begun_id = asked.text[0].value
    assert asked.text[1].value == begun_id
    kept = (await account.client.get(f"{SESSIONS}/{begun_id}")).json()
    assert (kept["document_ids"], kept["strict"], kept["titled"]) == ([document], True, False)
    assert "settings_of_the_next" not in asked.session_state
