"""Whether anything leaks: ``make soak MINUTES=10``, or ``python -m benchmarks.soak``.

People do everything at once, leave answers, break uploads off, and one of two workers is killed over and over. It happens twice:
in small, so that everything has been used once, and then for as long as is asked for. After each time the accounts are deleted, and
what is left is compared. Meanwhile the memory that a process has for itself is held against the number of requests: its slope is
the median of the slopes between all samples (Theil and Sen). Limits are off, so that nobody is refused. It fails if anything grows.
"""
# ruff: noqa: S608 - the pieces are the tests' and those of this file

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx2

from benchmarks.processes import machine, running
from benchmarks.soak.sampling import HEAD, Looking, Sample, shown
from benchmarks.soak.traffic import Person, Tally
from benchmarks.soak.trends import trend
from benchmarks.verdicts import Verdict, tell
from deploy.scaled.members import Member
from tests.support.invariants import BY_CLOCK, Place, sound_within
from tests.support.scaled import running_scaled

TOKENS = 6
"""Of an answer, at twenty a second."""
POOL = 10
"""Connections that a pool may hold and had not opened before."""
REST_SECONDS = 120.0
JOBS = (
    "select count(*) as all, count(*) filter (where status = 'doing' or scheduled_at is null or scheduled_at <= now()) as due"
    f" from procrastinate_jobs where status in ('todo', 'doing') and task_name not in {BY_CLOCK}"
)
NAMES = count()


async def load(looking: Looking, seconds: float, people: int, killed: Member | None) -> None:
    """Let people live for so long, then delete their accounts, and wait until nothing is left to do."""
    address = looking.product.process(0)
    address.limits = httpx2.Limits(max_connections=100, max_keepalive_connections=20)
    async with AsyncExitStack() as stack:
        crowd = []
        for _ in range(people):
            account = await stack.enter_async_context(address.account(f"soak{next(NAMES)}"))
            account.client.event_hooks = {"request": [looking.tally.count]}
            crowd.append(Person(account, looking.tally, Random(account.username)))  # noqa: S311 - a life, no secret
        async with _meanwhile(*(person.live() for person in crowd), *([_killing(killed, max(seconds / 5, 3))] if killed else [])):
            await asyncio.sleep(seconds)
        await asyncio.gather(*(person.go() for person in crowd))
    if killed is not None:
        await killed.start()
    async with asyncio.timeout(REST_SECONDS):
        await _nothing_left_to_do(looking.place)
    await sound_within(looking.place, REST_SECONDS)


async def _nothing_left_to_do(place: Place) -> None:
    """Wait for all jobs. What would wait for an hour, so that running backups find it, begins when the others have ended."""
    while True:
        [jobs] = await place.rows(JOBS)
        if not jobs["all"]:
            return
        if not jobs["due"]:
            await place.hurry()
        await asyncio.sleep(0.5)


@asynccontextmanager
async def _meanwhile(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def _killing(member: Member, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await member.kill()
        await member.start()


async def main(minutes: float, people: int, every: float) -> tuple[list[Sample], Sample, Sample, Tally]:
    print(machine())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-soak-")))
        model = await stack.enter_async_context(running("benchmarks.streams.model", str(TOKENS)))
        settings = {
            "chat_provider": "ollama",
            "embedder": "hashing",
            "ollama_url": f"http://127.0.0.1:{model.port}",
            "stream_grace_seconds": 1,
        }
        product = await stack.enter_async_context(running_scaled(folder / "scaled", apis=1, workers=2, **settings))
        files = Path(product.environment["DATA_DIR"]) / "files"
        place = Place(product.database_url(), product.environment["CHROMA_URL"], files)
        killed, looking = product.topology.workers[0], Looking(product, place, Tally())
        await load(looking, minutes * 60 / 4, people, killed)
        before = await looking.at_rest(6)
        async with _meanwhile(looking.keep_looking(every)):
            await load(looking, minutes * 60, people, killed)
        after = await looking.at_rest(6)
        for _ in range(5):
            if not left_over(before, after):
                break
            after = await looking.at_rest(6)
    return [one for one in looking.samples if one.requests < after.requests], before, after, looking.tally


def left_over(before: Sample, after: Sample) -> dict[str, int]:
    """Return the tables that have more rows than before, and by how many."""
    changes = {name: rows - before.rows.get(name, 0) for name, rows in after.rows.items()}
    return {name: change for name, change in changes.items() if change > 0}


def verdicts(samples: list[Sample], before: Sample, after: Sample, tally: Tally, *, in_small: bool) -> Iterator[Verdict]:
    """Yield what was promised. What is not held in small is memory, which has not yet come to rest by then."""
    if not in_small:
        for name in ("api-1", "worker-2"):
            grown = trend([(one.requests, one.private[name]) for one in samples if name in one.private])
            yield Verdict(f"soak: memory of {name} for 10,000 requests more", grown.slope * 10_000, "MB", 1)
    for name in ("api-1", "worker-2"):
        more = after.descriptors[name] - before.descriptors[name]
        yield Verdict(f"soak: descriptors that {name} has more at rest than before", more, "", POOL)
    yield Verdict("soak: tasks that api-1 has more at rest than before", after.tasks - before.tasks, "", 2)
    yield Verdict("soak: database connections more at rest than before", after.connections - before.connections, "", POOL)
    yield Verdict("soak: files that are left", after.files - before.files, "", 0)
    yield Verdict("soak: tables with rows that are left", len(left_over(before, after)), "", 0)
    yield Verdict("soak: answers that should not have been", len(tally.failures), "", 0)


def report(samples: list[Sample], before: Sample, after: Sample, tally: Tally) -> None:
    """Print what was seen, and how sure the slopes are."""
    print(f"\n{HEAD}\n{before.line()}  at rest")
    for one in shown(samples):
        print(one.line())
    print(f"{after.line()}  at rest\n\nDeeds: " + ", ".join(f"{deed} {number}" for deed, number in sorted(tally.deeds.items())))
    for name in sorted({name for one in samples for name in one.private}):
        grown = trend([(one.requests, one.private[name]) for one in samples if name in one.private])
        slope, lowest, highest = (one * 10_000 for one in (grown.slope, grown.lowest, grown.highest))
        print(f"{name}: {slope:+.2f} MB for 10,000 requests, between {lowest:+.2f} and {highest:+.2f} with 95 %")
    if left := left_over(before, after):
        print(f"Rows more than before: {left}")
    for failure in sorted(set(tally.failures))[:10]:
        print(f"Should not have been ({tally.failures.count(failure)} times): {failure}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of the load that is looked at; a quarter comes before")
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--every", type=float, default=3, help="seconds between two samples")
    parser.add_argument("--quick", action="store_true", help="in small: whether it works; memory is not held to anything")
    parser.add_argument("--verdicts", type=Path, help="append what was promised and measured to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.minutes, chosen.people, chosen.every = 0.1, 6, 1
    seen = asyncio.run(main(chosen.minutes, chosen.people, chosen.every))
    report(*seen)
    judged = list(verdicts(*seen, in_small=chosen.quick))
    tell(judged, chosen.verdicts)
    sys.exit(not all(one.met for one in judged))
