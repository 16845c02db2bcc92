"""Conversations while a model's provider is away."""

from collections.abc import AsyncGenerator

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import ModelUnavailableError, PromptTooLongError
from backend.ports.chat_model import Generation, Piece, Prompt
from backend.rag.tokens import estimate_tokens
from backend.services.providers import Providers
from tests.services.answering.conftest import Room, read_by
from tests.services.answering.test_follow_ups import FIRST, FOLLOW_UP, MEANT

FALLBACK = "second/scripted"
WINDOW = 900


class Narrow(ScriptedChatModel):
    """Refuses what is longer than its window, without a number."""

    refused = 0

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        if sum(estimate_tokens(turn.content) for turn in prompt.turns) > WINDOW:
            self.refused += 1
            raise PromptTooLongError
        async for piece in super().stream(prompt, options):
            yield piece


async def test_what_was_packed_for_the_first_model_is_packed_smaller_for_the_fallback(room: Room) -> None:
    # It still says what it is like, and fails when it is asked.
    first = ScriptedChatModel((ModelUnavailableError(),), window=32_768)
    second = Narrow(["It weighs 221 grams [1]."], provider="second", window=WINDOW)
    talk = await room.conversation(Providers(first, [second], fallback=FALLBACK))

    answer = await talk.ask(FIRST)

    assert (answer.text, answer.status, answer.model) == ("It weighs 221 grams [1].", "complete", FALLBACK)
    assert (second.refused, second.options[0].window) == (1, WINDOW)
    assert answer.usage.context is not None
    assert answer.usage.context.window <= WINDOW
    async with room.workshop.uow.of(talk.owner_id) as tx:
        message = await tx.messages.get(talk.owner_id, answer.message_id)
    assert message is not None
    assert (message.model, message.status) == (FALLBACK, "complete")


async def test_a_follow_up_is_rewritten_by_the_fallback(room: Room) -> None:
    first = ScriptedChatModel(writes=True)
    second = ScriptedChatModel(["It weighs 221 grams [1]."], [MEANT], ["390 grams [1]."], provider="second", writes=True)
    talk = await room.conversation(Providers(first, [second], fallback=FALLBACK))
    first.down = ModelUnavailableError()
    await talk.ask(FIRST)

    answer = await talk.ask(FOLLOW_UP)

    assert "You rewrite the last question" in read_by(second, 1)
    assert (answer.searched_for, answer.answer_status, answer.model) == (MEANT, "grounded", FALLBACK)


async def test_a_fallback_that_only_quotes_answers_but_rewrites_nothing(room: Room) -> None:
    first = ScriptedChatModel(["It weighs 221 grams [1]."], writes=True)
    talk = await room.conversation(Providers(first, [ExtractiveChatModel()], fallback="extractive/extractive"))
    await talk.ask(FIRST)
    first.down = ModelUnavailableError()

    answer = await talk.ask(FOLLOW_UP)

    assert (answer.status, answer.model) == ("complete", "extractive/extractive")
    assert answer.searched_for == f"{FIRST} {FOLLOW_UP}"
