"""People with things of every kind, and what the database holds of one of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from backend.core.config import plain_url
from backend.core.values.page import Cursor
from tests.security.conftest import OWNED
from tests.security.isolation.rows import QUESTION, REPLACEMENT
from tests.support.product import PASSWORD, Account, Product

CREDENTIALS = ("sign-in", "key", "limited key")
SCOPES = ["chat", "documents:read", "documents:write"]


@dataclass(slots=True)
class Person:
    """Somebody with their things by kind: ids mostly; tokens, names of requests, and (moment, id) for what is listed."""

    account: Account
    clients: dict[str, httpx2.AsyncClient]
    things: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.things["user"])

    def own(self, kind: str, credential: str) -> str:
        """Return a thing that this credential reaches; a limited key has conversations of its own."""
        thing = self.things.get(f"{kind} of the {credential}", self.things.get(kind, "nothing"))
        return spelled(kind, thing)


@asynccontextmanager
async def person(product: Product, name: str, secret: str) -> AsyncIterator[Person]:
    """Register somebody and give them one thing of every kind; ``secret`` is in all their names and texts."""
    async with AsyncExitStack() as stack:
        someone = await stack.enter_async_context(newcomer(product, f"{name}{secret}"))
        me = (await someone.account.client.patch("/api/v1/auth/me", json={"full_name": f"{name} {secret}"})).json()
        text = f"# The lighthouse\n\nBehind the seventh stair the keeper of the lighthouse hides the word {secret} of {name}.\n"
        document = await _upload(someone.account, f"{secret}.md", text, title=f"Secrets {secret}")
        someone.things |= {
            "user": me["id"],
            "cursor:user": (me["created_at"], me["id"]),
            "document": document["id"],
            "cursor:document": (document["created_at"], document["id"]),
        }
        for credential in ("key", "limited key"):
            await stack.enter_async_context(_with_key(product, someone, credential, f"{credential} {secret}"))
        await _furnish(product, someone, secret)
        yield someone


@asynccontextmanager
async def newcomer(product: Product, name: str, credential: str = "sign-in", *, furnished: bool = False) -> AsyncIterator[Person]:
    """Register somebody who has nothing but an account, and a credential; a document if ``furnished``, or for a limited key."""
    async with product.account(name) as account:
        someone = Person(account, {"sign-in": account.client})
        if furnished or credential == "limited key":
            document = (await _upload(account, "notes.txt", name))["id"]
            someone.things |= {"document": document, "other document": document}
        async with nullcontext() if credential == "sign-in" else _with_key(product, someone, credential, credential):
            if furnished:
                answer = (await someone.clients[credential].post("/api/v1/chat/query", json={"query": QUESTION})).json()
                someone.things |= {"session": answer["session_id"], "answer": answer["message_id"]}
            yield someone


@asynccontextmanager
async def _with_key(product: Product, someone: Person, credential: str, name: str) -> AsyncIterator[None]:
    limits = [someone.things["document"]] if credential == "limited key" else None
    body = {"name": name, "scopes": SCOPES, "document_ids": limits}
    made = (await someone.account.client.post("/api/v1/auth/keys", json=body)).raise_for_status().json()
    async with product.client(Authorization=f"Bearer {made['key']}") as client:
        someone.clients[credential] = client
        someone.things |= {"key": made["id"], "cursor:key": (made["created_at"], made["id"])}
        yield


async def _furnish(product: Product, someone: Person, secret: str) -> None:
    account, things = someone.account, someone.things
    await account.settled(things["document"])
    key = {"Idempotency-Key": f"question-{secret}"}
    answer = (await account.client.post("/api/v1/chat/query", json={"query": QUESTION}, headers=key)).json()
    assert secret in answer["answer"]
    follow_up = {"query": f"Is {secret} the word?", "session_id": answer["session_id"]}
    second = (await account.client.post("/api/v1/chat/query", json=follow_up)).raise_for_status().json()
    place = f"/api/v1/chat/sessions/{answer['session_id']}/messages/{second['message_id']}"
    anew = {"Idempotency-Key": f"regeneration-{secret}"}
    (await account.client.post(f"{place}/regenerate", json={"stream": False}, headers=anew)).raise_for_status()
    opinion = {"rating": "up", "comment": f"That is {secret}."}
    (await account.client.put(f"{place}/feedback", json=opinion)).raise_for_status()
    session = (await account.client.patch(f"/api/v1/chat/sessions/{answer['session_id']}", json={"title": f"On {secret}"})).json()
    message = (await account.client.get(f"/api/v1/chat/sessions/{session['id']}/messages")).json()["items"][0]
    things["answer"] = answer["message_id"]
    plain = {"Idempotency-Key": f"upload-{secret}"}
    file = {"file": ("upload.txt", b"Nothing to hide here.")}
    other = (await account.client.post("/api/v1/chat/upload", files=file, headers=plain)).raise_for_status().json()
    await account.settled(other["id"])
    again = {"Idempotency-Key": f"replacement-{secret}"}
    newer = {"file": ("upload.txt", REPLACEMENT)}
    (await account.client.put(f"/api/v1/chat/documents/{other['id']}/file", files=newer, headers=again)).raise_for_status()
    await account.settled(other["id"])
    things |= {
        "session": session["id"],
        "cursor:session": (session["updated_at"], session["id"]),
        "cursor:message": ("", message["id"]),
        "answer": second["message_id"],
        "question's key": f"question-{secret}",
        "regeneration's key": f"regeneration-{secret}",
        "upload's key": f"upload-{secret}",
        "replacement's key": f"replacement-{secret}",
        "other document": other["id"],
    }
    for credential, kind in (("sign-in", "task"), ("limited key", "task of the limited key")):
        once = {"Idempotency-Key": f"task-{credential}-{secret}"}
        made = await someone.clients[credential].post("/api/v1/chat/background", json={"query": QUESTION}, headers=once)
        things[kind] = made.raise_for_status().json()["id"]
        await answered(someone, credential, things[kind])
    things |= {"cursor:task": ("", things["task"]), "task's key": f"task-sign-in-{secret}"}
    body = {"title": f"Of the key {secret}"}
    limited = await someone.clients["limited key"].post("/api/v1/chat/sessions", json=body)
    things["session of the limited key"] = session_id = limited.raise_for_status().json()["id"]
    asked = await someone.clients["limited key"].post("/api/v1/chat/query", json={"query": QUESTION, "session_id": session_id})
    things["answer of the limited key"] = asked.raise_for_status().json()["message_id"]
    for kind in ("refresh", "other refresh"):
        login = {"username": account.username, "password": PASSWORD}
        async with product.client() as client:
            things[kind] = (await client.post("/api/v1/auth/login", json=login)).raise_for_status().json()["refresh_token"]
    things["sign-in"] = _row_of(things["refresh"])


async def answered(someone: Person, credential: str, task_id: str, *, within: float = 60) -> None:
    """Wait until a question in the background is answered."""
    deadline = monotonic() + within
    while True:
        task = (await someone.clients[credential].get(f"/api/v1/chat/tasks/{task_id}")).raise_for_status().json()
        if task["state"] == "succeeded":
            return
        assert monotonic() < deadline, task
        await asyncio.sleep(0.05)


async def _upload(account: Account, filename: str, text: str, **fields: str) -> dict[str, Any]:
    response = await account.upload(filename, text.encode(), **fields)
    assert response.status_code == 202, response.text
    found: dict[str, Any] = response.json()
    return found


def spelled(kind: str, thing: Any) -> str:
    """Return a thing as its owner sends it."""
    if kind.startswith("cursor:"):
        moment, id_ = thing
        return Cursor(moment and datetime.fromisoformat(moment).isoformat(), UUID(id_)).encode()
    return str(thing)


def known_to_others(kind: str, thing: Any) -> str:
    """Return the most that somebody else could know of a thing: its id, and of a token not the secret."""
    if kind in {"refresh", "other refresh", "reset"}:
        prefix, id_, secret = str(thing).split("_", 2)
        return f"{prefix}_{id_}_{secret[::-1]}"
    return spelled(kind, thing)


def never_existed(kind: str, thing: Any) -> str:
    """Return the nearest thing like this one that never existed: an id of the same moment."""
    if kind.startswith("cursor:"):
        return spelled(kind, (thing[0], _twin(thing[1])))
    if kind in {"refresh", "other refresh", "reset"}:
        return known_to_others(kind, str(thing).replace(_row_of(thing).hex, UUID(_twin(str(_row_of(thing)))).hex))
    return f"{thing}-never" if kind.endswith("'s key") else _twin(str(thing))


def _row_of(token: Any) -> UUID:
    return UUID(hex=str(token).split("_", 2)[1])


def _twin(id_: str) -> str:
    return str(UUID(int=UUID(id_).int ^ 0xFFFF_FFFF))


@asynccontextmanager
async def behind_the_walls(product: Product) -> AsyncIterator[Any]:
    """Yield a connection to the product's database that sees every row."""
    connection = await asyncpg.connect(plain_url(product.database_url()))
    try:
        await connection.execute("select set_config('docent.mode', 'system', false)")
        yield connection
    finally:
        await connection.close()


async def rows_of(connection: Any, owner_id: str) -> list[str]:
    """Return every row that is somebody's, with the jobs that are queued for them and the events about them."""
    parts = [
        *(f"select '{t} ' || to_jsonb({t})::text from {t} where {column} = $1" for t, column in OWNED.items()),  # noqa: S608 - ours
        "select 'audit ' || to_jsonb(t)::text from audit_events t where subject_id = $1 or actor_id = $1",
        "select 'job ' || j.task_name from procrastinate_jobs j where j.args->>'owner_id' = $1::uuid::text",
    ]
    return sorted(row[0] for row in await connection.fetch(" union all ".join(parts), UUID(owner_id)))


async def seen_by(someone: Person) -> Mapping[str, Any]:
    """Return all that the API shows somebody of their own."""
    things, client = someone.things, someone.account.client
    lists: Sequence[str] = ("chat/documents", "chat/sessions", "chat/tasks", "auth/keys", "auth/me", "auth/me/sign-ins")
    document, session = f"chat/documents/{things['document']}", f"chat/sessions/{things['session']}"
    single = (document, f"{document}/text", f"{document}/file", session, f"{session}/messages?superseded=true", f"{session}/export")
    shown = {path: (await client.get(f"/api/v1/{path}")).raise_for_status().text for path in (*lists, *single)}
    usage = (await client.get("/api/v1/auth/me/usage")).raise_for_status().json()
    return {**shown, "usage": [(limit["name"], limit["used"]) for limit in usage["limits"]]}
