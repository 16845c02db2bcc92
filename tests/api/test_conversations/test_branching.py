"""Branches: another question in the place of one, or another way on from an answer."""

from uuid import uuid4

from tests.api.test_chat import with_whales
from tests.api.test_conversations.talking import SESSIONS, act, messages, talked, texts
from tests.api.test_streams.streaming import asking, new_session, stored
from tests.support.ollama import StandInOllama
from tests.support.ollama.replies import grounded_reply
from tests.support.product import Account

FOUR = (("One?", "First."), ("Two?", "Second."))


async def test_a_branch_at_a_question_has_what_came_before_and_one_at_an_answer_has_that_too(
    alice: Account, ollama: StandInOllama
) -> None:
    session = await talked(alice, ollama, *FOUR)
    first_question, first_answer, second_question, second_answer = [m["id"] for m in await messages(alice, session)]
    expected = {
        first_question: [],
        first_answer: ["One?", "First."],
        second_question: ["One?", "First."],
        second_answer: ["One?", "First.", "Two?", "Second."],
    }
    for message, said in expected.items():
        response = await act(alice, session, message, "branch")
        branch = response.json()
        assert (response.status_code, response.headers["location"]) == (201, f"{SESSIONS}/{branch['id']}")
        assert (branch["title"], branch["titled"], await texts(alice, branch["id"])) == ("One? (branch)", False, said)
    assert await texts(alice, session) == ["One?", "First.", "Two?", "Second."]


async def test_a_branch_goes_on_by_itself_and_takes_sources_and_choices_along(alice: Account, ollama: StandInOllama) -> None:
    document = await with_whales(alice)
    body = {"title": "Whales", "document_ids": [document], "strict": True}
    session = (await alice.client.post(SESSIONS, json=body)).json()["id"]
    ollama.reply = grounded_reply
    await alice.ask("How many kilograms of krill do blue whales eat a day?", session_id=session)
    question, answer = await messages(alice, session)
    await act(alice, session, answer["id"], "feedback", rating="up")

    branch = (await act(alice, session, answer["id"], "branch")).json()

    assert {name: branch[name] for name in body} == {**body, "title": "Whales (branch)"}
    copies = await messages(alice, branch["id"])
    own = {"id", "session_id", "feedback"}
    for copy, original in zip(copies, (question, answer), strict=True):
        assert {name: value for name, value in copy.items() if name not in own} == {
            name: value for name, value in original.items() if name not in own
        }
        assert (copy["session_id"], copy["feedback"]) == (branch["id"], None)
    assert copies[1]["sources"]
    assert copies[0]["id"] < copies[1]["id"]

    requests = len(ollama.requests)
    await alice.ask("And in winter?", session_id=branch["id"])
    read = " ".join(message["content"] for message in ollama.requests[requests].json["messages"])
    assert question["content"] in read, "the copies are the history"
    await alice.client.delete(f"{SESSIONS}/{session}")
    assert len(await messages(alice, branch["id"])) == 4


async def test_an_edited_first_question_gives_the_branch_its_title(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, ("What is a wale?", "A ridge."))
    question = (await messages(alice, session))[0]["id"]

    branch = (await act(alice, session, question, "branch")).json()["id"]
    await alice.ask("What is a whale?", session_id=branch)

    assert (await alice.client.get(f"{SESSIONS}/{branch}")).json()["title"] == "What is a whale?"


async def test_while_an_answer_is_given_only_that_one_is_no_place_to_branch_at(alice: Account, ollama: StandInOllama) -> None:
    session = await talked(alice, ollama, *FOUR)
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    async with asking(alice, session) as wire:
        await wire.some(b"event: delta")
        *_, third_question, streaming = await messages(alice, session)

        refused = await act(alice, session, streaming["id"], "branch")
        branch = (await act(alice, session, third_question["id"], "branch")).json()

        assert (refused.status_code, refused.json()["code"]) == (409, "session_busy")
        assert [message["status"] for message in await messages(alice, branch["id"])] == ["complete"] * 4
        wire.leave()
    await stored(alice, session)


async def test_messages_of_others_and_of_other_sessions_are_missing(alice: Account, bob: Account, ollama: StandInOllama) -> None:
    hers, other = await talked(alice, ollama, *FOUR), await new_session(alice)
    message = (await messages(alice, hers))[1]["id"]
    bodies: dict[str, dict[str, object]] = {"branch": {}, "regenerate": {}, "feedback": {"rating": "up"}}
    for action, body in bodies.items():
        for account, session, code in (
            (bob, hers, "session_not_found"),
            (bob, str(uuid4()), "session_not_found"),
            (alice, other, "message_not_found"),
        ):
            response = await act(account, session, message, action, **body)
            assert (response.status_code, response.json()["code"]) == (404, code), (action, session)
    assert len(await messages(alice, hers, superseded=True)) == 4
