"""What tests of the chat page do again and again, without a browser."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.support.pages import Visit
from tests.support.product import Account

WITHIN_SECONDS = 60


async def asked(visit: Visit, question: str) -> AppTest:
    """Ask in the box, and return the page as it is then."""
    visit.app.chat_input[0].set_value(question)
    return await visit.run()


async def until(visit: Visit, met: Callable[[Visit], bool]) -> AppTest:
    """Run the page again, as a browser does while something is under way, until a condition is met."""
    deadline = monotonic() + WITHIN_SECONDS
    while not met(visit):
        assert not visit.app.exception
        assert monotonic() < deadline, visit.text
        await visit.run()
    assert not visit.app.exception
    return visit.app


def shows(*texts: str) -> Callable[[Visit], bool]:
    """Return the condition that the page shows all of these."""
    return lambda visit: all(text in visit.text for text in texts)


async def press(visit: Visit, label: str) -> AppTest:
    """Click the last button of that label."""
    [*_, button] = [button for button in visit.app.button if button.label == label]
    button.click()
    return await visit.run()


async def conversation(account: Account) -> str:
    """Begin a conversation, and return its id."""
    return str((await account.client.post("/api/v1/chat/sessions", json={})).json()["id"])


def message(number: int, role: str = "assistant", **fields: Any) -> dict[str, Any]:
    """Return a message as the API lists it."""
    return {
        "id": f"00000000-0000-7000-8000-{number:012}",
        "session_id": "00000000-0000-7000-8000-000000000000",
        "role": role,
        "content": f"Message {number} here",
        "status": "complete",
        "answer_status": "grounded" if role == "assistant" else None,
        "finish_reason": None,
        "error_code": None,
        "model": "llama3.2:1b" if role == "assistant" else None,
        "usage": None,
        "timings": None,
        "degraded": [],
        "pending_document_ids": [],
        "searched_for": None,
        "sources": [],
        "superseded": False,
        "feedback": None,
        "feedback_comment": None,
        "created_at": "2026-01-01T00:00:00Z",
        **fields,
    }
