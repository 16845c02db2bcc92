"""Questions that lean on what was said before."""

import asyncio
from time import perf_counter
from typing import Literal

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel, Step
from backend.core.clock import now
from backend.core.errors import ModelUnavailableError, PromptTooLongError
from backend.core.ids import new_id
from backend.core.values.chat import Question
from backend.ports.chat_model import Turn as PromptTurn
from backend.rag.follow_ups import REPLY_TOKENS
from backend.rag.gauging import TokenGauge
from backend.rag.situation import Situation
from backend.services.answering.outcome import Progress
from backend.services.answering.turn import Asked
from backend.services.answering.understanding import Understanding
from tests.services.answering.conftest import Room, read_by

FIRST = "What does subject 17 weigh?"
FOLLOW_UP = "And the one thirteen further on?"
MEANT = "What does subject 30 weigh?"
JOINED = f"{FIRST} {FOLLOW_UP}"


async def test_a_follow_up_is_found_by_what_it_means(room: Room) -> None:
    model = ScriptedChatModel(["It weighs 221 grams [1]."], [MEANT[:9], MEANT[9:]], ["390 grams [1]."], writes=True)
    talk = await room.conversation(model)
    await talk.ask(FIRST)

    answer = await talk.ask(FOLLOW_UP)

    assert len(model.prompts) == 3
    assert "You rewrite the last question" in read_by(model, 1)
    assert f"User: {FIRST}\nAssistant: It weighs 221 grams.\n\nLast question: {FOLLOW_UP}" in read_by(model, 1)
    options = model.options[1]
    assert (options.max_tokens, options.temperature, options.think) == (REPLY_TOKENS, 0.0, False)
    asked = model.prompts[2].turns[-1].content
    assert "weighs 390 grams" in asked
    assert asked.endswith(f"Question: {FOLLOW_UP}\n(That is: {MEANT})")
    assert any("subject 30 " in source.quote for source in answer.sources)
    assert (answer.answer_status, answer.searched_for) == ("grounded", MEANT)
    assert answer.timings.rewrite_ms is not None
    assert await talk.chat.answer(talk.owner_id, answer.message_id) == answer
    async with room.workshop.uow.of(talk.owner_id) as tx:
        used = await tx.usage.of_day(talk.owner_id, now().date())
    assert answer.usage.rewrite_tokens > 100
    assert used.tokens > answer.usage.rewrite_tokens


async def test_a_question_that_stands_alone_costs_no_call_and_one_that_the_model_leaves_alone_is_searched_as_it_is(
    room: Room,
) -> None:
    model = ScriptedChatModel(["One."], ["Two."], ["is it  SUBJECT 30?"], ["Three."], writes=True)
    talk = await room.conversation(model)

    answers = [await talk.ask(question) for question in (FIRST, MEANT, "Is it subject 30?")]

    assert [answer.text for answer in answers] == ["One.", "Two.", "Three."]
    assert [answer.searched_for for answer in answers] == [None] * 3
    assert "That is" not in read_by(model, 3)


@pytest.mark.parametrize(
    "reply",
    [[ModelUnavailableError()], [PromptTooLongError()], ["", ""], ["Certainly!\nWhat does subject 30 weigh?"], ["It weighs 3 kg."]],
    ids=["down", "too long", "empty", "lines", "an answer"],
)
async def test_without_a_usable_rewriting_the_question_before_is_searched_too(room: Room, reply: list[Step]) -> None:
    model = ScriptedChatModel(["It weighs 221 grams [1]."], reply, ["So it does [1]."], writes=True)
    talk = await room.conversation(model)
    await talk.ask(FIRST)

    answer = await talk.ask(FOLLOW_UP)

    assert (answer.status, answer.answer_status, answer.searched_for) == ("complete", "grounded", JOINED)
    assert model.prompts[2].question == JOINED
    assert "subject 17 " in model.prompts[2].passages[0].text
    assert model.prompts[2].turns[-1].content.endswith(f"Question: {FOLLOW_UP}")


async def test_an_answerer_that_cannot_rewrite_is_not_asked_to(room: Room) -> None:
    model = ScriptedChatModel(["221 grams [1]."], ["390 grams [1]."])
    talk = await room.conversation(model)
    await talk.ask(FIRST)

    answer = await talk.ask(FOLLOW_UP)

    assert len(model.prompts) == 2
    assert (answer.searched_for, answer.usage.rewrite_tokens, answer.timings.rewrite_ms) == (JOINED, 0, None)


async def test_who_leaves_during_the_rewriting_frees_the_model_at_once(room: Room) -> None:
    begun = asyncio.Event()

    class Noting(asyncio.Event):
        async def wait(self) -> Literal[True]:
            begun.set()
            return await super().wait()

    model = ScriptedChatModel(["221 grams [1]."], [Noting()], writes=True)
    talk = await room.conversation(model)
    await talk.ask(FIRST)
    turn = await talk.begin(FOLLOW_UP)
    async with asyncio.timeout(30):
        await begun.wait()
        turn.leave()
        answer = await turn.answer()

    assert model.closed_early == 1
    assert (answer.status, answer.text, answer.answer_status) == ("stopped", "", "not_searched")
    assert answer.usage.rewrite_tokens > 100


async def test_a_rewriting_has_a_deadline_of_its_own() -> None:
    model = ScriptedChatModel([30.0], writes=True)
    history = (PromptTurn("user", FIRST), PromptTurn("assistant", "221 grams."))
    ids = (new_id(), new_id(), new_id())
    asked = Asked(*ids, Question(FOLLOW_UP), "scripted", None, True, (), history, perf_counter())
    progress = Progress(Situation())

    forms = await Understanding(model, TokenGauge(), seconds=0.05).understand(asked, progress)

    assert forms == (JOINED, FIRST, FOLLOW_UP)
    assert (model.closed_early, progress.meaning) == (1, None)
