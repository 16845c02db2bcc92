"""Every call to something outside fails, one at a time, in each way that it may: what was promised holds each time."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from operator import and_
from pathlib import Path
from time import monotonic

import pytest

from tests.faults.crashes import report
from tests.support.cluster import Cluster, Database
from tests.support.interference import KINDS, Trial
from tests.support.invariants import unsound
from tests.support.trials import Laboratory, open_laboratory

AT_ONCE = 12
TURNS = len(KINDS["transaction.commit"])


@pytest.fixture
async def laboratory(cluster: Cluster, database: Database, tmp_path: Path) -> AsyncIterator[Laboratory]:
    async with open_laboratory(cluster, database, tmp_path) as opened:
        yield opened


@pytest.mark.timeout(900)
async def test_every_call_fails_once_in_every_way_and_the_document_arrives_and_leaves_all_the_same(laboratory: Laboratory) -> None:
    begun = monotonic()
    calls = await undisturbed(laboratory)
    assert calls.keys() == KINDS.keys(), "the flow makes every call that there is"
    trials = list(chosen(calls, everything="DOCENT_ALL_FAULTS" in os.environ))
    waiting = iter(trials)
    failures: list[str] = []

    async def take() -> None:
        for trial in waiting:
            try:
                await asyncio.create_task(laboratory.run(trial))
            except AssertionError as error:
                report(str(error))
                failures.append(str(error))

    await asyncio.gather(*(take() for _ in range(AT_ONCE)))
    report(f"{len(trials)} pairs of a call and a failure, of {calls.total()} calls, in {monotonic() - begun:.1f} s")
    assert failures == []
    assert await unsound(laboratory.place) == []


async def undisturbed(laboratory: Laboratory) -> Counter[str]:
    """Return how often each call is made when nothing fails, at least: a slow run looks at its document once more."""
    runs = [Trial() for _ in range(3)]
    for trial in runs:
        await asyncio.create_task(laboratory.run(trial))
    return reduce(and_, (trial.counts for trial in runs))


def chosen(calls: Counter[str], *, everything: bool) -> Iterator[Trial]:
    """Yield the trials.

    Transactions are many, and their failures much alike: unless all are wanted, each loses its answer, and fails in one of the
    other ways in its turn.
    """
    for call, count in calls.items():
        for nth in range(1, count + 1):
            kinds = list(KINDS[call])
            if call == "transaction.begin" and not everything:
                kinds = kinds if nth % TURNS == 0 else []
            if call == "transaction.commit" and not everything:
                kinds = [kinds[0], *kinds[nth % TURNS :][:1]] if nth % TURNS else kinds[:1]
            for kind in kinds:
                yield Trial(call, nth, kind)
