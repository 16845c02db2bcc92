"""Where visitors can be, with everything there that a page can show."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from tests.support.faulty_api import FaultyApi
from tests.support.product import PASSWORD, Account, Product, run_docent

HANDBOOK = b"# Handbook\n\n## Emergencies\n\nIn an emergency call extension 555 from any house telephone.\n"
QUESTION = "Which number do I call in an emergency?"


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and the conversation that is open there. ``running``: its last answer is still being given.
    ``way_in``: here it is tried what belongs to no page, signing in and out.

    ``depth`` is how many things are done one after the other: what opens a dialog, and what is done there, are two.
    """

    name: str
    view: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    running: bool = False
    way_in: bool = False
    depth: int = 3

    def arrange(self, api: FaultyApi) -> None:
        """Let everything work, but for what would take away what the next look needs: that is refused."""
        api.clear()
        api.refuse("DELETE", ".*", 503, "unavailable", "This cannot be deleted now.")
        api.refuse("POST", "/api/v1/auth/me/password", 503, "unavailable", "The password cannot be changed now.")
        api.refuse("(PATCH|PUT)", "/api/v1/(users|admin)/.*", 503, "unavailable", "This cannot be changed now.")
        if self.running:
            api.answer("GET", f"/api/v1/chat/sessions/{dict(self.query)['session']}/messages", _still_running(api.upstream))


@dataclass(frozen=True, slots=True)
class Estate:
    """What an administrator has who uses everything."""

    account: Account
    session_id: str
    message_id: str
    document_id: str


@asynccontextmanager
async def estate(product: Product) -> AsyncIterator[Estate]:
    """Make one: documents that are ready and that failed, an answered question, a key."""
    async with product.account("owner") as account:
        name = f"chief-{account.username}"
        code, said = await run_docent(product, "user", "create", name, "--email", f"{name}@example.com", "--admin")
        assert code == 0, said
        password = said.split()[-1] if PASSWORD not in said else PASSWORD
        signed_in = await account.client.post("/api/v1/auth/login", json={"username": name, "password": password})
        assert signed_in.status_code == 200, said
        token = signed_in.json()["access_token"]
        account.client.headers["Authorization"] = f"Bearer {token}"
        chief = Account(account.client, name, token, signed_in.json()["refresh_token"])
        good = (await chief.upload("handbook.md", HANDBOOK)).json()
        broken = (await chief.upload("broken.pdf", b"%PDF-1.7\nbroken")).json()
        for document in (good, broken):
            await chief.settled(document["id"], within=120)
        answer = await chief.answered(QUESTION)
        (await chief.client.post("/api/v1/auth/keys", json={"name": "laptop", "scopes": ["chat"]})).raise_for_status()
        yield Estate(chief, answer["session_id"], answer["message_id"], good["id"])


def _still_running(upstream: str) -> Any:
    """Answer as the API does, the first time with an answer that is still being given."""
    asked = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        headers = {"Authorization": request.headers["Authorization"]}
        async with aiohttp.ClientSession() as http, http.get(upstream + request.raw_path, headers=headers) as response:
            body = await response.json()
        if asked == 1 and body.get("items"):
            body["items"][-1] |= {"status": "streaming", "content": "The beginning", "sources": [], "usage": None}
        return web.json_response(body)

    return answer
