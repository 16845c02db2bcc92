"""What reaches the model, and what of its answer reaches the client."""

from typing import Any

from tests.api.test_streams.streaming import listen, new_session, said, stored
from tests.support.files import WHALES
from tests.support.ollama import StandInOllama
from tests.support.ollama.window import count_tokens
from tests.support.product import Account


def prompts(ollama: StandInOllama) -> list[dict[str, Any]]:
    return [request.json for request in ollama.requests if request.path == "/api/chat"]


async def ready(account: Account, name: str, data: bytes) -> str:
    document = (await account.upload(name, data)).json()["id"]
    assert (await account.settled(document))["status"] == "ready"
    return str(document)


async def test_markers_are_whole_verified_and_none_is_invented(alice: Account, ollama: StandInOllama) -> None:
    await ready(alice, "whales.md", WHALES)
    ollama.reply = ["They eat krill ", "[", "1", "]", ", not ships [", "9", "9].", " The end [1"]

    events = await listen(alice, "How much krill do blue whales eat?")

    assert "They eat krill [1], not ships" in said(events)
    assert "99" not in said(events)
    done = events[-1].data
    assert done["answer_status"] == "grounded"
    assert [source["marker"] for source in done["sources"] if source["cited"]] == [1]
    assert all("99" not in event.data.get("text", "") for event in events)
    assert (await stored(alice, done["session_id"]))["content"] == said(events)


async def test_an_answer_without_a_marker_is_not_called_grounded(alice: Account, ollama: StandInOllama) -> None:
    await ready(alice, "whales.md", WHALES)
    ollama.reply = "They eat ships [12]."

    answer = (await alice.ask("How much krill do blue whales eat?")).json()

    assert answer["answer_status"] == "not_in_documents"
    assert not any(source["cited"] for source in answer["sources"])


async def test_the_conversation_so_far_and_the_options_reach_the_model(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply = "My name is Docent."
    first = (await alice.ask("What is your name?")).json()
    ollama.requests.clear()

    await alice.ask("Spell it.", session_id=first["session_id"], temperature=0.25, max_tokens=77)

    (prompt,) = prompts(ollama)
    said_before = [(message["role"], message["content"]) for message in prompt["messages"][1:-1]]
    assert said_before == [("user", "What is your name?"), ("assistant", "My name is Docent.")]
    assert "Spell it." in prompt["messages"][-1]["content"]
    assert (prompt["options"]["temperature"], prompt["options"]["num_predict"]) == (0.25, 77)
    assert (prompt["truncate"], prompt["shift"], prompt["options"]["num_ctx"]) == (False, False, 8192)


async def test_only_the_chosen_documents_are_searched(alice: Account) -> None:
    whales = await ready(alice, "whales.md", WHALES)
    boats = await ready(alice, "boats.md", b"# Boats\n\nBlue boats eat diesel, up to 30 kilograms a day. They fear whales.")

    everything = (await alice.ask("What do blue whales or boats eat a day?")).json()
    assert {source["document_id"] for source in everything["sources"]} == {whales, boats}

    chosen = (await alice.ask("What do blue whales or boats eat a day?", document_ids=[boats])).json()
    assert {source["document_id"] for source in chosen["sources"]} == {boats}

    session = (await alice.client.post("/api/v1/chat/sessions", json={"document_ids": [whales]})).json()["id"]
    of_session = (await alice.ask("What do blue whales or boats eat a day?", session_id=session)).json()
    assert {source["document_id"] for source in of_session["sources"]} == {whales}
    replaced = (await alice.ask("What do blue boats eat a day?", session_id=session, document_ids=[boats])).json()
    assert {source["document_id"] for source in replaced["sources"]} == {boats}


async def test_forty_long_turns_stay_inside_a_small_window_and_every_answer_says_what_was_left_out(
    carol: Account, ollama: StandInOllama
) -> None:
    await ready(carol, "whales.md", WHALES)
    ollama.reply = "This is an answer of some length that takes its room in the window of the model, as answers do. " * 2
    session = await new_session(carol)
    long = "Question number {}: how many kilograms of krill do blue whales eat a day, and what else do the documents say of whales?"
    asked = [long, "And what does that mean for them?"]

    for number in range(40):
        ollama.requests.clear()
        answer = (await carol.ask(asked[number % 2].format(number), session_id=session)).json()

        sent = prompts(ollama)
        assert [prompt["options"]["num_ctx"] for prompt in sent] == [512] * (1 + number % 2)
        for prompt in sent:
            tokens = sum(count_tokens(message["content"]) for message in prompt["messages"])
            assert tokens + prompt["options"]["num_predict"] <= 512
        use = answer["usage"]["context"]
        assert use["used"] + sent[-1]["options"]["num_predict"] <= use["window"] == 512
        assert use["dropped_messages"] == 2 * number - (len(sent[-1]["messages"]) - 2)
        passages = sent[-1]["messages"][-1]["content"].count("<passage ")
        assert passages == len(answer["sources"])
        assert (passages > 0, use["dropped_chunks"]) == (True, 0)
        assert (answer["searched_for"] is None, answer["timings"]["rewrite_ms"] is None) == (number % 2 == 0, number % 2 == 0)

    assert use["dropped_messages"] > 60


async def test_a_question_that_does_not_fit_the_window_is_refused(carol: Account, ollama: StandInOllama) -> None:
    ollama.requests.clear()
    session = await new_session(carol)
    for stream in (True, False):
        response = await carol.ask("Why is that so? " * 400, session_id=session, stream=stream)
        assert (response.status_code, response.json()["code"]) == (422, "question_too_long")

    assert prompts(ollama) == []
    assert (await carol.ask("Why?", session_id=session, max_tokens=40)).json()["status"] == "complete"


async def test_the_answer_and_the_end_of_its_stream_say_alike_what_was_searched_and_found(
    alice: Account, ollama: StandInOllama
) -> None:
    await ready(alice, "whales.md", WHALES)
    ollama.requests.clear()
    for query, fields, status, asked in (
        ("Which composers lived in Salzburg?", {"strict": True}, "not_in_documents", 0),
        ("Which composers lived in Salzburg?", {}, "not_in_documents", 2),
        ("Hello there!", {"strict": True}, "not_searched", 4),
        ("How much krill do blue whales eat?", {"strict": True}, "grounded", 6),
    ):
        answer = (await alice.ask(query, **fields)).json()
        events = await listen(alice, query, **fields)

        assert [event.name for event in events if event.name != "delta"] == ["run", "sources", "done"]
        done = events[-1].data
        assert (answer["answer_status"], done["answer_status"], said(events)) == (status, status, answer["answer"])
        assert len(prompts(ollama)) == asked
        different = {"session_id", "message_id", "timings"}
        assert {key: done[key] for key in done.keys() - different} == {key: answer[key] for key in done.keys() - different}
        for end in (answer, done):
            assert (end["pending_documents"], end["searched_for"], end["usage"]["rewrite_tokens"]) == ([], None, 0)
