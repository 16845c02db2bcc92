"""Each leg has its own deadline: the one that is late is left behind, and the result says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from backend.core.config import plain_url
from backend.core.errors import DatabaseUnavailableError, EmbedderUnavailableError
from backend.services.embedders import Embedders
from backend.services.retrieval import Deadlines, Retriever
from tests.support.cluster import Cluster
from tests.support.workshop import Workshop, open_workshop

WHALES = "Blue whales eat krill, up to 3,600 kilograms a day."
OWLS = "Owls hunt mice at night and swallow them whole."
QUESTION = "What do blue whales eat?"
SOON, LATER = 0.4, 60.0


def retriever(workshop: Workshop, *, dense: float = LATER, lexical: float = LATER) -> Retriever:
    """Return one with these deadlines."""
    embedders = Embedders({workshop.embedder.identity: workshop.embedder}.__getitem__)
    return Retriever(workshop.uow, workshop.index, embedders, deadlines=Deadlines(dense, lexical), exact_chunks=0)


async def found_by(one: Retriever, owner: UUID, *questions: str) -> tuple[list[str], tuple[str, ...]]:
    found = await one.retrieve(owner, questions or (QUESTION,), within=None)
    return [passage.text for passage in found.passages], found.degraded


@pytest.fixture(scope="module")
async def shared_workshop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with cluster.database() as database, open_workshop(cluster, database, tmp_path_factory.mktemp("legs")) as opened:
        yield opened


@pytest.fixture
async def workshop(shared_workshop: Workshop) -> AsyncIterator[Workshop]:
    """One for all of these tests, in order again after each."""
    yield shared_workshop
    shared_workshop.embedder.mend()
    shared_workshop.index.down, shared_workshop.index.after_query = False, None


@pytest.fixture
async def alice(workshop: Workshop) -> UUID:
    owner = await workshop.user()
    for text in (WHALES, OWLS):
        await workshop.indexed(owner, text)
    return owner


@asynccontextmanager
async def words_held(workshop: Workshop) -> AsyncIterator[None]:
    """Keep the lexical leg waiting for a lock, as a table that is being rewritten does. The dense leg does not need that table."""
    connection = await asyncpg.connect(plain_url(workshop.database.owner_url))
    try:
        async with connection.transaction():
            await connection.execute("lock table lexemes in access exclusive mode")
            yield
    finally:
        await connection.close()


async def test_a_late_embedder_is_left_behind_and_goes_on_so_that_the_next_question_finds_it_ready(
    workshop: Workshop, alice: UUID
) -> None:
    held = workshop.embedder.hold_questions()

    with capture_logs() as logs:
        assert await found_by(retriever(workshop, dense=SOON), alice) == ([WHALES], ("dense",))
    assert [entry["leg"] for entry in logs if entry["event"] == "retrieval_leg_late"] == ["dense"]

    one = retriever(workshop, dense=SOON)
    assert (await found_by(one, alice))[1] == ("dense",)
    asked = workshop.embedder.questions
    held.set()
    async with asyncio.timeout(LATER):
        while (await found_by(one, alice))[1]:
            pass
    assert workshop.embedder.questions == asked, "what was begun for the first question served the next one"


async def test_late_words_leave_the_answer_to_the_meaning(workshop: Workshop, alice: UUID) -> None:
    async with words_held(workshop):
        assert await found_by(retriever(workshop, lexical=SOON), alice) == ([WHALES], ("lexical",))

    assert await found_by(retriever(workshop), alice) == ([WHALES], ())


@pytest.mark.parametrize("embedder", ["late", "down"])
async def test_without_both_legs_there_is_an_error_and_no_claim_that_nothing_was_found(
    workshop: Workshop, alice: UUID, embedder: str
) -> None:
    held = workshop.embedder.hold_questions()
    if embedder == "down":
        workshop.embedder.question_failure = EmbedderUnavailableError()
        held.set()

    async with words_held(workshop):
        with pytest.raises(DatabaseUnavailableError):
            await found_by(retriever(workshop, dense=SOON, lexical=SOON), alice)
    held.set()
    workshop.embedder.mend()

    assert await found_by(retriever(workshop), alice) == ([WHALES], ())


async def test_a_late_index_is_passed_over_for_the_vectors_themselves(workshop: Workshop, alice: UUID) -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        await waiting.wait()

    workshop.index.after_query = wait
    with capture_logs() as logs:
        # No word in common, so only the dense leg can find it.
        assert await found_by(retriever(workshop, dense=8.0), alice, "owlhunts nightmice swallowed") == ([OWLS], ())
    assert [entry["code"] for entry in logs if entry["event"] == "vector_index_passed_over"] == ["late"]


async def test_a_defect_is_one_whatever_the_other_leg_does(workshop: Workshop, alice: UUID) -> None:
    workshop.embedder.question_failure = TimeoutError("nobody's deadline, but a defect")

    with pytest.raises(TimeoutError):
        await found_by(retriever(workshop), alice)
    async with words_held(workshop):
        with pytest.raises(TimeoutError):
            await found_by(retriever(workshop, lexical=SOON), alice)


async def test_a_database_that_goes_away_under_a_leg_is_an_error_and_no_degradation(workshop: Workshop, alice: UUID) -> None:
    cut = (
        "select pg_terminate_backend(pid) as done from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock' and usename = current_user"
    )
    connection = await asyncpg.connect(plain_url(workshop.database.app_url))  # A role may end its own sessions.
    async with words_held(workshop), asyncio.timeout(LATER):
        asking = asyncio.create_task(found_by(retriever(workshop), alice))
        while not await connection.fetch(cut):  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.02)
        with pytest.raises(DatabaseUnavailableError):
            await asking
    await connection.close()


async def test_both_forms_of_a_question_are_searched_and_the_first_decides_what_is_relevant(
    workshop: Workshop, alice: UUID
) -> None:
    alone, asked = "What do owls hunt at night?", "And the whales?"

    assert (await found_by(retriever(workshop), alice, alone, asked))[0] == [OWLS], "the fragment alone makes nothing relevant"
    ranking = await retriever(workshop).rank(alice, (alone, asked))
    apart = [await retriever(workshop).rank(alice, form) for form in (alone, asked)]
    for hit in ranking.hits:
        scores = [{one.chunk_id: one for one in part.hits}.get(hit.chunk_id) for part in apart]
        cosines = [one.dense.score for one in scores if one and one.dense]
        words = [one.lexical.score for one in scores if one and one.lexical]
        assert hit.dense is None or hit.dense.score == max(cosines)
        assert (hit.lexical.score if hit.lexical else None) == max(words, default=None)
        share = scores[0].lexical.share if scores[0] and scores[0].lexical else 0.0
        assert hit.lexical is None or hit.lexical.share == share
    assert {hit.relevant for hit in ranking.hits} == {True, False}


async def test_a_form_without_words_is_passed_over_and_asks_nobody(workshop: Workshop, alice: UUID) -> None:
    workshop.embedder.question_failure = ZeroDivisionError()
    for questions in (("???",), ("…", " "), ()):
        ranking = await workshop.retriever.rank(alice, questions)
        assert (ranking.hits, ranking.degraded, ranking.dense_ms) == ((), (), None)
    workshop.embedder.mend()

    assert await found_by(workshop.retriever, alice, "???", QUESTION) == await found_by(workshop.retriever, alice, QUESTION)


async def test_the_same_question_gives_the_same_ranking(workshop: Workshop) -> None:
    owner = await workshop.user()
    for number in range(5):
        await workshop.indexed(owner, f"Number {number} says that krill is krill.")

    rankings = [(await workshop.retriever.rank(owner, "What is krill?")).hits for _ in range(3)]
    workshop.index.down = True
    rankings.append((await workshop.retriever.rank(owner, "What is krill?")).hits)

    orders = {tuple(hit.chunk_id for hit in hits) for hits in rankings[:3]}
    assert (len(orders), len(rankings[0])) == (1, 5)
    assert {hit.chunk_id for hit in rankings[3]} == {hit.chunk_id for hit in rankings[0]}
