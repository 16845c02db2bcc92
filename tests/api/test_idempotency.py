"""``Idempotency-Key`` over the wire: replays, refusals, and what is left after a crash."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.events import ServerSentEvent, events_of
from tests.support.files import WHALES
from tests.support.ollama import StandInOllama
from tests.support.product import PASSWORD, Account, running_product

QUERY, UPLOAD = "/api/v1/chat/query", "/api/v1/chat/upload"


async def ask(account: Account, key: str, query: str = "Why?", **fields: object) -> httpx2.Response:
    return await account.client.post(QUERY, json={"query": query, **fields}, headers={"Idempotency-Key": key})


async def listen(account: Account, key: str, query: str = "Why?") -> tuple[httpx2.Response, list[ServerSentEvent]]:
    headers = {"Idempotency-Key": key}
    async with account.client.stream("POST", QUERY, json={"query": query, "stream": True}, headers=headers) as response:
        return response, [event async for event in events_of(response)]


async def upload(account: Account, key: str, data: bytes, name: str = "a.md", **fields: str) -> httpx2.Response:
    headers = {"Idempotency-Key": key}
    return await account.client.post(UPLOAD, files={"file": (name, data)}, data=fields, headers=headers)


async def asked(account: Account) -> int:
    return len((await account.client.get("/api/v1/chat/sessions")).json()["items"])


def code_of(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def replays(response: httpx2.Response) -> bool:
    return response.headers.get("idempotent-replayed") == "true"


async def test_the_same_question_again_gets_the_same_answer_and_is_not_asked(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["Because", " of it."]
    first = await ask(alice, "k")
    ollama.reply = ["Another ", "answer."]

    again = await ask(alice, "k", stream=False)

    assert (first.status_code, replays(first), replays(again)) == (200, False, True)
    assert again.json() == first.json()
    assert await asked(alice) == 1


async def test_a_stream_again_is_the_same_answer_in_one_delta(alice: Account, ollama: StandInOllama) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()
    await alice.settled(document["id"])
    first, events = await listen(alice, "k", "What do blue whales eat?")

    again, replayed = await listen(alice, "k", "What do blue whales eat?")

    assert (replays(first), replays(again)) == (False, True)
    assert [event.name for event in replayed] == ["run", "sources", "delta", "done"]
    assert [event.id for event in replayed][:2] == [1, 2]
    assert [event.id for event in replayed][-1] == events[-1].id, "an event's number is its place in the answer"
    assert (replayed[0].data, replayed[-1].data) == (events[0].data, events[-1].data)
    assert replayed[2].data["text"] == "".join(event.data["text"] for event in events if event.name == "delta")
    assert again.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("other", [{"query": "Why not?"}, {"temperature": 0.5}, {"stream": True}])
async def test_a_key_belongs_to_its_body(alice: Account, other: dict[str, Any]) -> None:
    await ask(alice, "k")

    assert code_of(await ask(alice, "k", **other)) == (422, "idempotency_key_reused")
    assert code_of(await upload(alice, "k", b"hello")) == (422, "idempotency_key_reused")


async def test_while_the_first_runs_the_second_is_a_conflict(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["word "] * 20, 0.05

    answers = await asyncio.gather(*(ask(alice, "k") for _ in range(3)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {code_of(answer)[1] for answer in answers if answer.status_code == 409} == {"idempotency_key_busy"}
    assert await asked(alice) == 1


async def test_somebody_elses_key_is_another_key(alice: Account, bob: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["For Alice"]
    await ask(alice, "k")
    ollama.reply = ["For Bob"]

    answer = await ask(bob, "k")

    assert (answer.json()["answer"], replays(answer)) == ("For Bob", False)


async def test_a_refused_or_failed_request_leaves_the_key_free(alice: Account, ollama: StandInOllama) -> None:
    missing = "00000000-0000-7000-8000-000000000000"
    assert code_of(await ask(alice, "k", session_id=missing)) == (404, "session_not_found")
    async with ollama.refusing():
        assert code_of(await ask(alice, "k")) == (503, "model_unavailable")
        assert code_of(await ask(alice, "k", stream=True)) == (503, "model_unavailable")

    answer = await ask(alice, "k")

    assert (answer.status_code, replays(answer)) == (200, False)


async def test_what_was_said_before_the_client_left_is_the_outcome(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["word "] * 200, 0.05
    headers = {"Idempotency-Key": "k"}
    async with alice.client.stream("POST", QUERY, json={"query": "Why?", "stream": True}, headers=headers) as response:
        events = events_of(response)
        heard = [await anext(events) for _ in range(6)]

    for _ in range(100):
        if (await ask(alice, "k", stream=True)).status_code != 409:
            break
        await asyncio.sleep(0.05)
    _, replayed = await listen(alice, "k")

    assert (replayed[0].data, replayed[-1].data["status"]) == (heard[0].data, "stopped")
    assert replayed[2].data["text"].startswith("".join(event.data["text"] for event in heard[2:]))


async def busy(account: Account) -> str | None:
    """The session whose answer is still being given."""
    for session in (await account.client.get("/api/v1/chat/sessions")).json()["items"]:
        messages = (await account.client.get(f"/api/v1/chat/sessions/{session['id']}/messages")).json()["items"]
        if any(message["status"] == "streaming" for message in messages):
            return str(session["id"])
    return None


async def test_an_answer_that_was_deleted_is_not_replayed(alice: Account) -> None:
    answer = (await ask(alice, "k")).json()
    await alice.client.delete(f"/api/v1/chat/sessions/{answer['session_id']}")

    assert code_of(await ask(alice, "k")) == (404, "message_not_found")


async def test_the_same_file_again_is_the_document_that_it_made(alice: Account) -> None:
    first = await upload(alice, "k", b"hello", title="Hello")

    again = await upload(alice, "k", b"hello", title="Hello")

    assert (first.status_code, again.status_code, replays(first), replays(again)) == (202, 202, False, True)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    assert len((await alice.client.get("/api/v1/chat/documents")).json()["items"]) == 1


async def test_another_file_name_or_title_under_the_key_is_refused_and_not_kept(alice: Account) -> None:
    await upload(alice, "k", b"hello")

    for again in (
        await upload(alice, "k", b"other"),
        await upload(alice, "k", b"hello", "b.md"),
        await upload(alice, "k", b"hello", title="T"),
    ):
        assert code_of(again) == (422, "idempotency_key_reused")

    assert len((await alice.client.get("/api/v1/chat/documents")).json()["items"]) == 1


async def test_a_refused_file_leaves_the_key_free(alice: Account) -> None:
    assert code_of(await upload(alice, "k", b"")) == (422, "document_empty")
    assert code_of(await upload(alice, "k", b"x" * 2_000_001)) == (413, "document_too_large")

    assert (await upload(alice, "k", b"hello")).status_code == 202


async def test_while_the_first_file_arrives_the_second_is_a_conflict(alice: Account) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n%b\r\n--x--\r\n' % (b"a" * 9000)

    async def slowly() -> Any:
        yield body[:9000]
        begun.set()
        await go.wait()
        yield body[9000:]

    headers = {"Idempotency-Key": "k", "Content-Type": "multipart/form-data; boundary=x"}
    first = asyncio.create_task(alice.client.post(UPLOAD, content=slowly(), headers=headers))
    await begun.wait()
    await asyncio.sleep(0.3)  # Until it has reached the server.
    second = await upload(alice, "k", b"a" * 9000)
    go.set()

    assert code_of(second) == (409, "idempotency_key_busy")
    assert (await first).status_code == 202


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\tinside", "caf\u00e9"])
async def test_a_key_is_printable_ascii_of_1_to_255_characters(alice: Account, key: str) -> None:
    response = await alice.client.post(QUERY, json={"query": "Why?"}, headers=[(b"Idempotency-Key", key.encode("latin-1"))])

    assert code_of(response) == (422, "request_invalid")
    assert await asked(alice) == 0


async def test_after_a_crash_the_same_request_is_taken_up_again(ollama: StandInOllama, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings: dict[str, Any] = {"chat_provider": "ollama", "embedder": "hashing", "ollama_url": ollama.url}
    ollama.reply, ollama.interval = ["word "] * 200, 0.05
    async with running_product(folder, **settings) as product, product.account("carol") as carol:
        kept = (await upload(carol, "file", b"hello")).json()["id"]
        headers = {"Idempotency-Key": "question"}
        async with carol.client.stream("POST", QUERY, json={"query": "Why?", "stream": True}, headers=headers) as response:
            await anext(events_of(response))
            await product.kill()
    ollama.reply, ollama.interval = ["Short."], 0.0

    async with running_product(folder, **settings) as product, product.client() as client:
        body = {"username": carol.username, "password": PASSWORD}
        token = (await client.post("/api/v1/auth/login", json=body)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        carol = Account(client, carol.username, token, "")
        answer, events = await listen(carol, "question")
        again = await upload(carol, "file", b"hello")

    assert (replays(answer), events[-1].data["status"]) == (False, "complete")
    assert (again.status_code, again.json()["id"], replays(again)) == (202, kept, True)
