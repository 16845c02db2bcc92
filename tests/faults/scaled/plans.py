"""What is done to the topology while people use it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from time import monotonic

from deploy.scaled import Member, Scaled
from tests.faults.scaled.tally import KILLED, Tally
from tests.support.ollama import StandInOllama

DATABASE = ("database_unavailable",)
MODEL = ("model_unavailable", "answer_cut")
"""A whole answer that the model breaks off is a 502 with that code, and a stream ends with it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a plan may touch."""

    scaled: Scaled
    ollama: StandInOllama
    tally: Tally


Plan = Callable[[Stage, float], Awaitable[None]]


async def kills(stage: Stage, seconds: float, *, every: float = 10.0) -> None:
    """Kill -9 an API process and a worker every few seconds, each in turn; whoever supervises them starts them again."""
    apis, workers = stage.scaled.apis, stage.scaled.workers
    async for number in _strokes(seconds, every):
        victims = (apis[number % len(apis)], workers[number % len(workers)])
        async with stage.tally.disturbed("an API process and a worker killed", *KILLED):
            await asyncio.gather(*(victim.kill() for victim in victims))
            await asyncio.gather(*(victim.start() for victim in victims))


async def database(stage: Stage, seconds: float, *, every: float = 20.0) -> None:
    """Restart PostgreSQL every few seconds, in order and by kill -9 in turn."""
    postgres = stage.scaled.postgres
    async for number in _strokes(seconds, every):
        name, end = ("restarted", postgres.stop) if number % 2 == 0 else ("killed and started", postgres.kill)
        async with stage.tally.disturbed(f"PostgreSQL {name}", *DATABASE):
            await end()
            await postgres.start()


async def servers(stage: Stage, seconds: float, *, away: float = 30.0) -> None:
    """Stop Chroma, Redis and the model, one after the other, for so many seconds each."""
    while True:
        begun = monotonic()
        await _away(stage, stage.scaled.chroma, "Chroma", away)
        if stage.scaled.redis is not None:
            await _away(stage, stage.scaled.redis, "Redis", away / 2)
        async with stage.tally.disturbed(f"the model stopped for {away / 2:.0f} s", *MODEL), stage.ollama.refusing():
            await asyncio.sleep(away / 2)
        await asyncio.sleep(away / 3)
        seconds -= monotonic() - begun
        if seconds <= 0:
            return


async def short(stage: Stage, _seconds: float) -> None:
    """One kill of each kind and one outage."""
    await kills(stage, 1, every=2)
    await database(stage, 1, every=2)


PLANS: dict[str, Plan] = {"kills": kills, "database": database, "servers": servers}


async def _away(stage: Stage, member: Member, name: str, seconds: float) -> None:
    async with stage.tally.disturbed(f"{name} stopped for {seconds:.0f} s"):
        await member.stop()
        await asyncio.sleep(seconds)
        await member.start()
    await asyncio.sleep(seconds / 3)


async def _strokes(seconds: float, every: float) -> AsyncIterator[int]:
    """Count from 0, one number every so many seconds, the first one after half of that; at least one."""
    begun = monotonic()
    for number in count():
        await asyncio.sleep(max(0.0, begun + (number + 0.5) * every - monotonic()))
        yield number
        if monotonic() - begun >= seconds - every / 2:
            break
    await asyncio.sleep(every / 2)
