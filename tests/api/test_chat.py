import asyncio

from tests.support.events import events_of
from tests.support.files import WHALES
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account


async def with_whales(account: Account) -> str:
    document = (await account.upload("whales.md", WHALES)).json()
    assert (await account.settled(document["id"]))["status"] == "ready"
    return str(document["id"])


async def test_an_answer_is_grounded_and_its_quotes_are_the_documents_own_text(alice: Account) -> None:
    document_id = await with_whales(alice)

    answer = (await alice.ask("How many kilograms of krill do blue whales eat a day?")).json()

    assert (answer["status"], answer["answer_status"]) == ("complete", "grounded")
    assert "krill" in answer["answer"]
    for source in answer["sources"]:
        place = {"start": source["start"], "end": source["end"]}
        stored = (await alice.client.get(f"/api/v1/chat/documents/{document_id}/text", params=place)).json()
        assert stored["text"] == source["quote"]


async def test_the_deltas_of_a_stream_are_the_stored_answer(alice: Account) -> None:
    await with_whales(alice)

    async with alice.client.stream(
        "POST", "/api/v1/chat/query", json={"query": "What do blue whales eat?", "stream": True}
    ) as response:
        events = [event async for event in events_of(response)]

    assert [event.name for event in events[:2]] == ["run", "sources"]
    assert events[-1].name == "done"
    assert [event.id for event in events] == sorted({event.id for event in events})
    said = "".join(event.data["text"] for event in events if event.name == "delta")
    session = f"/api/v1/chat/sessions/{events[0].data['session_id']}/messages"
    question, answer = (await alice.client.get(session)).json()["items"]
    assert (question["content"], answer["content"], answer["status"]) == ("What do blue whales eat?", said, "complete")
    assert answer["sources"] == events[-1].data["sources"]


async def test_a_stream_cut_by_the_model_is_stored_and_reported_as_incomplete(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = ["one ", "two ", "three ", "four "]
    ollama.fail("/api/chat", Fault(cut_after=2))

    async with alice.client.stream("POST", "/api/v1/chat/query", json={"query": "Count.", "stream": True}) as response:
        events = [event async for event in events_of(response)]

    assert response.status_code == 200
    assert (events[-1].name, events[-1].data["code"]) == ("error", "answer_cut")
    messages = (await alice.client.get(f"/api/v1/chat/sessions/{events[0].data['session_id']}/messages")).json()["items"]
    assert (messages[1]["status"], messages[1]["content"], messages[1]["error_code"]) == ("incomplete", "one two ", "answer_cut")


async def test_a_model_that_is_down_is_a_503_and_the_question_is_kept(alice: Account, ollama: StandInOllama) -> None:
    session = (await alice.client.post("/api/v1/chat/sessions", json={})).json()
    async with ollama.refusing():
        for stream in (True, False):
            response = await alice.ask("Anybody there?", stream=stream, session_id=session["id"])
            assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")
            assert response.headers["retry-after"]

    items = (await alice.client.get(f"/api/v1/chat/sessions/{session['id']}/messages")).json()["items"]
    assert [(item["role"], item["status"]) for item in items] == [("user", "complete"), ("assistant", "incomplete")] * 2


async def test_a_client_that_leaves_frees_the_model_and_keeps_what_was_said(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["word "] * 200, 0.05
    dropped = ollama.streams_dropped

    async with alice.client.stream("POST", "/api/v1/chat/query", json={"query": "Go on.", "stream": True}) as response:
        heard = []
        async for event in events_of(response):
            heard.append(event)
            if len(heard) == 6:
                break

    await ollama.dropped(dropped + 1)
    for _ in range(50):
        items = (await alice.client.get(f"/api/v1/chat/sessions/{heard[0].data['session_id']}/messages")).json()["items"]
        if items[1]["status"] != "streaming":
            break
        await asyncio.sleep(0.05)
    assert items[1]["status"] == "stopped"
    assert items[1]["content"].startswith("".join(event.data["text"] for event in heard if event.name == "delta"))
