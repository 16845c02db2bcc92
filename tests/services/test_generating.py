"""Replies without documents and without a conversation: what is noted of them, however they end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from uuid import UUID

import pytest

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.clock import now
from backend.core.errors import (
    AnswerCutError,
    DocentError,
    ModelUnavailableError,
    ModelUnknownError,
    NoLanguageModelError,
    PromptTooLongError,
    QuotaExceededError,
    ServerStoppingError,
)
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel, Finish, Generation, ModelDetails, Piece, Prompt, Turn
from backend.rag.tokens import estimate_tokens
from backend.services.channel import LIMIT
from backend.services.generating.reply import Reply, Wanted, tokens_of
from backend.services.generating.service import Generating
from backend.services.providers import Providers
from backend.services.quotas import Quotas
from tests.support.cluster import Database

PROMPT = Prompt((Turn("user", "How deep is the sea?"),), "How deep is the sea?")
Made = Callable[[ChatModel], Generating]


@pytest.fixture
async def uow(shared_database: Database) -> AsyncIterator[UnitOfWork]:
    work = UnitOfWork(make_engine(shared_database.app_url, pool_size=5))
    yield work
    await work.aclose()


@pytest.fixture
def generating(uow: UnitOfWork) -> Made:
    return lambda model: Generating(uow, model, Quotas(Providers(model), enabled=True), max_tokens=100)


async def spent(uow: UnitOfWork, owner_id: UUID) -> tuple[int, int]:
    """Return the owner's tokens of today, and the questions."""
    async with uow.of(owner_id) as tx:
        used = await tx.usage.of_day(owner_id, now().date())
    return used.tokens, used.questions


async def read(reply: Reply) -> str:
    said = ""
    while pieces := await reply.take():
        said += "".join(piece.text for piece in pieces)
    return said


class Counting(ScriptedChatModel):
    """Ends as its provider would, with counts; what it knows of models is small."""

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        async for piece in super().stream(prompt, options):
            yield piece if piece.finish is None else Piece("", finish=Finish("stop", 31, 11))

    async def details(self, model: str) -> ModelDetails:
        return await ExtractiveChatModel().details(model) if model == "nobody" else await super().details(model)


async def test_a_reply_is_read_as_it_comes_and_its_counted_tokens_are_noted(generating: Made, uow: UnitOfWork, alice: UUID) -> None:
    model = Counting(["Four ", "thou\x00sand\ud800 ", "metres."], default_model="m", window=64)

    reply = await generating(model).begin(Wanted(alice, PROMPT))
    await reply.opened(30)
    said = await read(reply)
    generated = await reply.generated()

    assert (said, generated.text) == ("Four thousand metres.", "Four thousand metres.")
    assert (generated.status, generated.model, generated.error) == ("complete", "m", None)
    assert await spent(uow, alice) == (42, 1)
    # Without a wish of the caller's, half of the window at most; with one, what the prompt leaves of it.
    assert (model.options[0].window, model.options[0].max_tokens) == (64, 32)
    wanted = Wanted(alice, PROMPT, options=Generation("", 0, max_tokens=1000))
    await (await generating(model).begin(wanted)).whole()
    assert model.options[1].max_tokens == 64 - tokens_of(PROMPT)


async def test_a_cut_reply_is_paid_by_estimate_and_keeps_what_was_said(generating: Made, uow: UnitOfWork, alice: UUID) -> None:
    reply = await generating(ScriptedChatModel(["Four thousand", AnswerCutError()])).begin(Wanted(alice, PROMPT))

    with pytest.raises(AnswerCutError):
        await reply.whole()

    generated = await reply.generated()
    assert (generated.text, generated.status) == ("Four thousand", "incomplete")
    assert await spent(uow, alice) == (tokens_of(PROMPT) + estimate_tokens("Four thousand"), 1)


async def test_what_failed_before_its_first_piece_is_a_status_and_costs_nothing(
    generating: Made, uow: UnitOfWork, alice: UUID
) -> None:
    for failure, kind in (
        (ModelUnavailableError(), ModelUnavailableError),
        (PromptTooLongError(tokens=9000, window=4096), PromptTooLongError),
        (ValueError("a defect of ours"), DocentError),
    ):
        reply = await generating(ScriptedChatModel([failure])).begin(Wanted(alice, PROMPT))
        with pytest.raises(kind) as raised:
            await reply.opened(30)
        assert (await read(reply), (await reply.generated()).error) == ("", raised.value)
        assert "defect" not in raised.value.message
        if isinstance(raised.value, PromptTooLongError):
            assert "4,096 tokens" in raised.value.message
    assert await spent(uow, alice) == (0, 0)


async def test_a_reader_who_leaves_frees_the_model_at_once_and_pays_for_what_was_said(
    generating: Made, uow: UnitOfWork, alice: UUID
) -> None:
    model = ScriptedChatModel(["Four thousand", asyncio.Event()])
    reply = await generating(model).begin(Wanted(alice, PROMPT))
    await reply.take()

    reply.leave()
    generated = await reply.generated()

    assert (generated.status, generated.text, generated.error, model.closed_early) == ("stopped", "Four thousand", None, 1)
    assert await spent(uow, alice) == (tokens_of(PROMPT) + estimate_tokens("Four thousand"), 1)
    reply.leave()
    assert await reply.generated() is generated


async def test_one_who_leaves_before_the_first_step_asks_no_model_and_pays_nothing(
    generating: Made, uow: UnitOfWork, alice: UUID
) -> None:
    model = ScriptedChatModel()
    reply = await generating(model).begin(Wanted(alice, PROMPT))

    reply.leave()

    assert ((await reply.generated()).status, model.prompts) == ("stopped", [])
    assert await spent(uow, alice) == (0, 0)


async def test_a_cancellation_that_an_adapter_reports_as_an_error_is_still_one(generating: Made, alice: UUID) -> None:
    class Touchy(ScriptedChatModel):
        async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
            yield Piece("So")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise AnswerCutError from None

    reply = await generating(Touchy()).begin(Wanted(alice, PROMPT))
    await reply.take()
    reply.leave()

    generated = await reply.generated()
    assert (generated.status, generated.text, generated.error) == ("stopped", "So", None)


async def test_a_slow_reader_is_waited_for_and_misses_nothing(generating: Made, alice: UUID) -> None:
    said = 0

    class Fluent(ScriptedChatModel):
        async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
            nonlocal said
            for number in range(4 * LIMIT):
                said += 1
                yield Piece(f"{number} ")
            yield Piece("", finish=Finish("stop"))

    reply = await generating(Fluent()).begin(Wanted(alice, PROMPT))
    await reply.opened(30)
    for _ in range(100):
        await asyncio.sleep(0)

    assert said == LIMIT
    assert await read(reply) == "".join(f"{number} " for number in range(4 * LIMIT))


async def test_a_used_up_quota_asks_no_model(generating: Made, uow: UnitOfWork, alice: UUID) -> None:
    async with uow.of(alice) as tx:
        await tx.usage.add(alice, now().date(), questions=1, prompt_tokens=10_000_000, completion_tokens=0)
    model = ScriptedChatModel()

    with pytest.raises(QuotaExceededError):
        await generating(model).begin(Wanted(alice, PROMPT))

    assert model.prompts == []


async def test_who_only_quotes_is_refused_where_one_that_writes_is_wanted(generating: Made, uow: UnitOfWork, alice: UUID) -> None:
    with pytest.raises(NoLanguageModelError):
        await generating(ExtractiveChatModel()).begin(Wanted(alice, PROMPT, writers_only=True))
    # Nor does it take over from one that is away, be it before or after its details were got; that is nobody's mistake.
    away = ScriptedChatModel([ModelUnavailableError()], default_model="m", writes=True)
    providers = Providers(away, [ExtractiveChatModel()], fallback="extractive/extractive")
    for away.down in (None, ModelUnavailableError()):
        with pytest.raises(ModelUnavailableError):
            await (await generating(providers).begin(Wanted(alice, PROMPT, model="m", writers_only=True))).whole()
    assert await spent(uow, alice) == (0, 0)


async def test_a_model_that_does_not_exist_is_the_mistake_of_who_named_it(generating: Made, alice: UUID) -> None:
    with pytest.raises(ModelUnknownError):
        await generating(Counting()).begin(Wanted(alice, PROMPT, model="nobody"))


async def test_a_stopped_server_ends_what_does_not_end_within_the_grace_and_begins_nothing(
    generating: Made, uow: UnitOfWork, alice: UUID
) -> None:
    nearly = asyncio.Event()
    replies = generating(ScriptedChatModel(["Near", nearly, "ly."], ["Never", asyncio.Event()]))
    first = await replies.begin(Wanted(alice, PROMPT))
    await first.opened(30)
    second = await replies.begin(Wanted(alice, PROMPT))
    await second.opened(30)

    drained = asyncio.create_task(replies.drain(0.2))
    nearly.set()
    await drained

    assert ((await first.generated()).status, (await first.generated()).text) == ("complete", "Nearly.")
    cut = await second.generated()
    assert (cut.status, cut.text, type(cut.error)) == ("incomplete", "Never", ServerStoppingError)
    assert (await spent(uow, alice))[1] == 2
    with pytest.raises(ServerStoppingError):
        await replies.begin(Wanted(alice, PROMPT))


async def test_a_loop_that_cancels_everything_leaves_nobody_waiting_and_no_model_busy(generating: Made, alice: UUID) -> None:
    model = ScriptedChatModel(["So", asyncio.Event()])
    reply = await generating(model).begin(Wanted(alice, PROMPT))
    await reply.take()
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == f"generation-{alice}"]

    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert (await reply.generated()).status == "incomplete"
    assert reply.generation is not None
    await asyncio.wait([reply.generation])
    assert model.closed_early == 1
