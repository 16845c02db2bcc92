"""Assistants with models of several abilities."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from uuid import UUID

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel, Step
from backend.adapters.sql_parsers.sqlglot import SqlglotParser
from backend.core.errors import ModelUnknownError, NoLanguageModelError
from backend.core.values.assist import CodeWanted, HowToWrite, SqlWanted, TextWanted
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import Capability, Generation, Infill, ModelDetails, Piece, Prompt
from backend.services.assist import AssistService
from backend.services.generating.service import Generating
from backend.services.providers import Providers
from backend.services.quotas import Quotas
from backend.services.registry import Services
from tests.support.cluster import Database

GAP = CodeWanted("def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n", "python", "add.py")


class Able(ScriptedChatModel):
    """Writes, and can what it is told that it can."""

    def __init__(self, *replies: Sequence[Step], able: frozenset[Capability] = frozenset({"chat"})) -> None:
        super().__init__(*replies, writes=True)
        self._able = able

    async def details(self, model: str) -> ModelDetails:
        return ModelDetails(model, 4096, capabilities=self._able)


class Bench:
    """Makes assistants of models."""

    def __init__(self, uow: UnitOfWork, parser: SqlglotParser) -> None:
        self._uow, self._parser = uow, parser
        self._made: list[Generating] = []

    def assist(self, model: ScriptedChatModel) -> AssistService:
        self._made.append(Generating(self._uow, model, Quotas(Providers(model), enabled=False), max_tokens=100))
        return AssistService(self._made[-1], self._parser)

    async def drain(self) -> None:
        """Let what a test has left behind be noted while there is a database."""
        for generating in self._made:
            await generating.drain(30)


@pytest.fixture
async def bench(shared_database: Database) -> AsyncIterator[Bench]:
    uow, parser = UnitOfWork(make_engine(shared_database.app_url, pool_size=5)), SqlglotParser()
    bench = Bench(uow, parser)
    yield bench
    await bench.drain()
    parser.close()
    await uow.aclose()


async def test_a_model_that_can_fills_the_gap_and_nothing_is_touched(bench: Bench, alice: UUID) -> None:
    model = Able(["a + b"], able=frozenset({"chat", "insert"}))

    completion = await bench.assist(model).complete(alice, GAP)

    assert ((await completion.reply.whole()).text, completion.filled, completion.clean) == ("a + b", "insert", None)
    assert model.prompts[0].infill == Infill(GAP.prefix, GAP.suffix)
    assert model.options[0].temperature == 0


async def test_one_that_cannot_is_asked_and_its_reply_cleaned(bench: Bench, alice: UUID) -> None:
    model = Able([f"Here:\n```python\n{GAP.prefix}a + b{GAP.suffix}```\nDone."])

    completion = await bench.assist(model).complete(alice, GAP)

    generated = await completion.reply.whole()
    assert completion.filled == "chat"
    assert completion.clean is not None
    assert completion.clean(generated.text) == "a + b"
    [system, user] = model.prompts[0].turns
    assert "python code" in system.content
    assert f"<before>\n{GAP.prefix}\n</before>" in user.content
    assert model.prompts[0].infill is None


async def test_a_model_that_writes_nothing_is_refused_by_name(bench: Bench, alice: UUID) -> None:
    able = Able(able=frozenset({"embedding"}))

    with pytest.raises(ModelUnknownError):
        await bench.assist(able).generate(alice, TextWanted("Hello", how=HowToWrite(model="nomic-embed-text")))

    assert able.prompts == []


async def test_where_documents_are_only_quoted_all_of_them_say_so(services: Services, alice: UUID) -> None:
    for asked in (
        services.assist.generate(alice, TextWanted("Hello")),
        services.assist.sql(alice, SqlWanted("generate", "How many?")),
        services.assist.complete(alice, GAP),
    ):
        with pytest.raises(NoLanguageModelError):
            await asked


async def test_how_to_write_gets_through_to_the_model(bench: Bench, alice: UUID) -> None:
    model = Able(["{}"])
    how = HowToWrite("other", 0.7, 12, ("END",), False, {"type": "object"})

    await (await bench.assist(model).generate(alice, TextWanted("Hello", how=how))).whole()

    [options] = model.options
    assert (options.model, options.temperature, options.max_tokens) == ("other", 0.7, 12)
    assert (options.stop, options.think, options.shape) == (("END",), False, {"type": "object"})


async def test_who_cancels_a_task_about_sql_frees_the_model(bench: Bench, alice: UUID) -> None:
    begun = asyncio.Event()

    class Endless(Able):
        async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
            begun.set()
            async for piece in super().stream(prompt, options):
                yield piece

    model = Endless(["SELECT", asyncio.Event()])
    task = asyncio.create_task(bench.assist(model).sql(alice, SqlWanted("generate", "How many?")))
    async with asyncio.timeout(30):
        await begun.wait()

    task.cancel()
    await asyncio.wait([task])
    await bench.drain()

    assert (task.cancelled(), model.closed_early) == (True, 1)
