"""What an answer says about itself, and when no model is asked at all."""

from typing import Any

import pytest

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import ModelUnavailableError, PromptTooLongError, QuestionTooLongError
from backend.ports.chat_model import NOTHING_FOUND, Finish, Generation, Piece, Prompt
from backend.rag.declining import CAPABLE, NO_DOCUMENTS, NOT_YET
from backend.services.answering.events import Done, Found
from tests.services.answering.conftest import Room, read_by

OFF_TOPIC = "Which composers lived in Salzburg?"
ON_TOPIC = "What does subject 17 weigh?"
ONE_MORE = f"{NOTHING_FOUND} One more document is still being indexed: ask again when it is ready."


@pytest.mark.parametrize(
    ("documents", "pending", "question", "strict", "said", "status"),
    [
        (1, 0, OFF_TOPIC, True, NOTHING_FOUND, "not_in_documents"),
        (1, 1, OFF_TOPIC, True, ONE_MORE, "still_indexing"),
        (0, 1, OFF_TOPIC, True, NOT_YET, "still_indexing"),
        (0, 0, OFF_TOPIC, True, NO_DOCUMENTS, "no_documents"),
        (1, 0, OFF_TOPIC, False, None, "not_in_documents"),
        (1, 1, OFF_TOPIC, False, None, "still_indexing"),
        (0, 1, OFF_TOPIC, False, None, "still_indexing"),
        (0, 0, OFF_TOPIC, False, None, "no_documents"),
        (1, 1, ON_TOPIC, True, None, "grounded"),
        (1, 0, ON_TOPIC, False, None, "grounded"),
        (1, 1, "Hello!", True, None, "not_searched"),
        (0, 1, "Thank you, bye", False, None, "not_searched"),
    ],
)
async def test_an_answer_says_how_it_stands_to_the_documents_and_a_strict_one_without_any_asks_no_model(
    room: Room, *, documents: int, pending: int, question: str, strict: bool, said: str | None, status: str
) -> None:
    model = ScriptedChatModel(["So it is [1]."])
    talk = await room.conversation(model, documents=documents, pending=pending)

    turn = await talk.begin(question, strict=strict)
    answer = await turn.answer()
    events = await turn.take()

    assert (answer.status, answer.answer_status) == ("complete", status)
    assert len(model.prompts) == (said is None)
    assert answer.text == (("So it is [1]." if status == "grounded" else "So it is.") if said is None else said)
    assert [document.title for document in answer.pending_documents] == [f"pending-{number}" for number in range(pending)]
    assert sum(isinstance(event, Found) for event in events) == 1
    assert isinstance(events[-1], Done)
    assert events[-1].answer == answer == await talk.chat.answer(talk.owner_id, answer.message_id)
    if said is not None:
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.sources) == (0, 0, ())
        model.down = ModelUnavailableError()
        assert (await talk.ask(question, strict=True)).text == said


async def test_a_strict_session_is_strict_until_a_question_says_otherwise(room: Room) -> None:
    model = ScriptedChatModel(["I think so."])
    talk = await room.conversation(model)
    await room.workshop.rows("update chat_sessions set strict = true where id = $1", talk.session_id)

    assert (await talk.ask(OFF_TOPIC)).text == NOTHING_FOUND
    assert model.prompts == []
    assert (await talk.ask(OFF_TOPIC, strict=False)).text == "I think so."
    strict = await talk.ask(ON_TOPIC)
    assert strict.answer_status == "not_in_documents"
    assert "add nothing of your own" in read_by(model, 1)


async def test_a_model_is_told_what_could_not_be_searched_yet(room: Room) -> None:
    model = ScriptedChatModel(["Fine."])
    some = await room.conversation(model, pending=2)
    none = await room.conversation(model, documents=0, pending=1)

    await some.ask(ON_TOPIC)
    await some.ask(OFF_TOPIC)
    await none.ask(OFF_TOPIC)
    await none.ask("Hello!")

    assert "could not be searched yet: 2." in read_by(model, 0)
    assert "found nothing about this question" in read_by(model, 1)
    assert "could not be searched yet: 2." in read_by(model, 1)
    assert "none of them could be searched yet" in read_by(model, 2)
    assert "No documents were searched for this message" in read_by(model, 3)
    assert model.prompts[3].passages == ()


async def test_the_extractive_answerer_says_what_it_can_do_and_what_it_did_not_find(room: Room) -> None:
    talk = await room.conversation(ExtractiveChatModel(), pending=1)

    assert (await talk.ask("Good morning!")).text == CAPABLE
    assert (await talk.ask(OFF_TOPIC)).text == ONE_MORE
    found = await talk.ask(ON_TOPIC)
    assert found.answer_status == "grounded"
    assert "weighs 221 grams" in found.text
    follow_up = await talk.ask("And its property?")
    assert "subject 17 has property 18" in follow_up.text


async def test_a_prompt_that_the_provider_refuses_is_packed_smaller_once(room: Room) -> None:
    model = ScriptedChatModel(["First [1]."], [PromptTooLongError()], ["Second [1]."], window=2048)
    talk = await room.conversation(model)
    whole = (await talk.ask(ON_TOPIC)).usage.context

    answer = await talk.ask("What is the property of subject 23?")

    context = answer.usage.context
    assert whole is not None
    assert context is not None
    assert (answer.answer_status, context.window, whole.window) == ("grounded", 1536, 2048)
    assert context.used + 1536 // 4 <= 1536
    given = [sum(len(passage.chunks) for passage in prompt.passages) for prompt in model.prompts]
    assert given[2] < given[1]
    assert [options.window for options in model.options] == [2048] * 3
    assert context.dropped_messages + context.dropped_chunks > 0


async def test_a_prompt_that_is_refused_twice_is_a_question_that_is_too_long(room: Room) -> None:
    model = ScriptedChatModel([PromptTooLongError(tokens=9000, window=8192)])
    talk = await room.conversation(model)

    with pytest.raises(QuestionTooLongError):
        await talk.ask(ON_TOPIC)

    assert len(model.prompts) == 2


class Counting(ScriptedChatModel):
    """Counts two and a half times as many tokens as are estimated, as for a language that its vocabulary does not know."""

    async def stream(self, prompt: Prompt, options: Generation) -> Any:
        self.prompts.append(prompt)
        estimate = sum(len(turn.content) for turn in prompt.turns)
        yield Piece("So [1].", finish=Finish("stop", estimate, 3))


async def test_what_the_provider_counts_makes_the_next_prompt_smaller(room: Room) -> None:
    model = Counting(window=2048)
    talk = await room.conversation(model)

    contexts = [(await talk.ask(ON_TOPIC)).usage.context for _ in range(2)]

    first, second = (context for context in contexts if context is not None)
    assert second.dropped_chunks > first.dropped_chunks
    # Chunks that touch are one passage, however many they are.
    fuller, smaller = (sum(len(passage.chunks) for passage in prompt.passages) for prompt in model.prompts)
    assert smaller < fuller
    assert sum(len(turn.content) for turn in model.prompts[1].turns) <= 2048 - 512
