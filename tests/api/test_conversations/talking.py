"""Conversations that are there already, and looks at them."""

from typing import Any

import httpx2

from tests.support.ollama import StandInOllama
from tests.support.product import Account

SESSIONS = "/api/v1/chat/sessions"


async def talked(account: Account, ollama: StandInOllama, *said: tuple[str, str]) -> str:
    """Ask these questions in a new session, get these answers, and return its id."""
    session: str | None = None
    for question, answer in said:
        ollama.reply = answer
        response = await account.ask(question, **({"session_id": session} if session else {}))
        session = response.raise_for_status().json()["session_id"]
    assert session is not None
    return session


async def messages(account: Account, session: str, **params: bool) -> list[dict[str, Any]]:
    """Return the messages of a session."""
    response = await account.client.get(f"{SESSIONS}/{session}/messages", params={"limit": 100, **params})
    found: list[dict[str, Any]] = response.raise_for_status().json()["items"]
    return found


async def texts(account: Account, session: str, **params: bool) -> list[str]:
    """Return what was said in a session."""
    return [message["content"] for message in await messages(account, session, **params)]


async def act(account: Account, session: str, message: str, action: str, **body: object) -> httpx2.Response:
    """Do something to a message."""
    method = "PUT" if action == "feedback" else "POST"
    return await account.client.request(method, f"{SESSIONS}/{session}/messages/{message}/{action}", json=body)
