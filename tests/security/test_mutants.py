"""Either wall stands alone: a repository that forgets its owner still shows and changes nothing, for PostgreSQL stands behind it.

Each mutant is a call of a repository with one statement that has lost its owner's condition. With the policies on, its outcome is
that of the unchanged call, and nothing of the other owner's is changed. With the policies off it finds or changes something of
theirs: so it was the policies that caught it, and the condition matters.
"""

import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.core.errors import DocentError
from backend.db.beginning import give_scope
from backend.db.engine import make_engine
from backend.db.uow import Transaction
from tests.security.conftest import OWNED
from tests.security.mutation import Stripper, stripping
from tests.security.repository_calls import OWN_READS, OWN_WRITES, READS, WRITES, Call, Things, things_of
from tests.support.workshop import Workshop

CALLS: Mapping[str, Call] = {
    **{f"{name} of another": call for name, call in {**READS, **WRITES}.items()},
    **{f"{name} of one's own": call for name, call in {**OWN_READS, **OWN_WRITES}.items()},
}
# With both walls down these still do no harm, and this is why.
VACUOUS: Mapping[str, str] = {
    "generations.lock of one's own, statement 0": "it holds rows until the end of the transaction, and tells and changes nothing",
    "tasks.hold of another, statement 0": "it holds a conversation until the end of the transaction, and tells and changes nothing",
    "tasks.hold_answering of another, statement 0": "it holds a conversation as well, and tells and changes nothing",
    "vectors.store of another, statement 0": "the vector would be the caller's, and the foreign key to its chunk names the owner",
    "lexicon.remove_document of another, statement 3": "it removes sizes that have come to nothing, and nobody keeps such",
    "lexicon.search of another, statement 0": "the candidates come from a function that reads the owner from the setting itself",
    "messages.copy of another, statement 0": "it picks ids, and what is copied under them is looked for with the owner again",
    "messages.copy of another, statement 1": "it copies the messages that statement 0 has found, and that is none",
    "messages.copy of another, statement 2": "it copies the sources of the messages that statement 0 has found, and that is none",
    "messages.page of another, statement 1": "it asks for the sources of the messages that statement 0 has found, and that is none",
}
CHANGING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[^\"]+")
"""Ids and moments: a second run of the same call writes others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call told, and after it the other owner's rows, and the caller's own but for ids and moments."""

    told: str
    theirs: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """Calls repositories as Bob, on Alice's things, in transactions that are rolled back."""

    engine: AsyncEngine
    alice: UUID
    bob: UUID
    hers: Things

    async def run(self, name: str, stripper: Stripper) -> Outcome:
        """Call, and look at what it has done."""
        async with self._transaction() as connection:
            with stripping(self.engine, stripper):
                try:
                    told = repr(await CALLS[name](Transaction(connection), self.bob, self.hers))
                except (DocentError, SQLAlchemyError, AssertionError) as error:
                    told = type(error).__name__
            try:
                await connection.exec_driver_sql(
                    "select set_config('docent.owner_id', '', true), set_config('docent.mode', 'system', true)"
                )
                own = tuple(sorted(CHANGING.sub("", row) for row in await _rows_of(connection, self.bob)))
                return Outcome(told, await _rows_of(connection, self.alice), own)
            except SQLAlchemyError:  # PostgreSQL refused a statement of the call, and with it the whole transaction.
                return Outcome(told, refused=True)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            give_scope(connection, str(self.bob), "owner")
            await connection.begin()
            yield connection
            await connection.rollback()


async def _rows_of(connection: AsyncConnection, owner_id: UUID) -> tuple[str, ...]:
    parts = (f"select '{t} ' || to_jsonb({t})::text from {t} where {column} = :owner" for t, column in OWNED.items())  # noqa: S608 - ours
    return tuple(sorted((await connection.execute(text(" union all ".join(parts)), {"owner": owner_id})).scalars()))


@pytest.fixture
async def bench(workshop: Workshop) -> AsyncIterator[Bench]:
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    engine = make_engine(workshop.database.app_url, pool_size=1)
    yield Bench(engine, alice, bob, await things_of(workshop, alice))
    await engine.dispose()


async def test_every_mutant_of_a_repository_is_caught_by_row_level_security(workshop: Workshop, bench: Bench) -> None:
    unchanged: dict[str, Outcome] = {}
    mutants: list[tuple[str, int]] = []

    def harm(name: str, outcome: Outcome) -> str | None:
        """Return what a mutant shows or changes that the call itself does not. What PostgreSQL has refused does neither."""
        expected = unchanged[name]
        if outcome.refused or outcome == expected:
            return None
        changed = set(outcome.theirs) ^ set(expected.theirs) | set(outcome.own) ^ set(expected.own)
        return f"{name}: {outcome.told} and not {expected.told}, and {len(changed)} rows differ"

    async def harmed(*, mutated: bool) -> dict[tuple[str, int], str | None]:
        calls = mutants if mutated else [(name, -1) for name in CALLS]
        return {call: harm(call[0], await bench.run(call[0], Stripper(bench.bob, armed=call[1]))) for call in calls}

    for name in CALLS:
        stripper = Stripper(bench.bob)
        unchanged[name] = await bench.run(name, stripper)
        mutants += [(name, number) for number in range(stripper.seen)]
    assert len({outcome.theirs for outcome in unchanged.values() if not outcome.refused}) == 1
    assert [found for found in (await harmed(mutated=True)).values() if found] == []

    for table in OWNED:
        await workshop.rows(f"alter table {table} disable row level security")
    assert [found for found in (await harmed(mutated=False)).values() if found] == [], "the first wall does not stand alone"

    outcomes = await harmed(mutated=True)
    harmless = {f"{name}, statement {number}" for (name, number), found in outcomes.items() if found is None}
    sys.stdout.write(f"\nmutants: {len(mutants)} of {len(CALLS)} calls, all caught; {len(harmless)} of them vacuous\n")
    assert harmless == set(VACUOUS)
    assert len(mutants) > 60
