"""One trial: people use the topology, a plan disturbs it, and a judge looks at what is left."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from deploy.scaled import Scaled, scaled
from tests.faults.scaled.doors import doors
from tests.faults.scaled.judge import judged, place_of
from tests.faults.scaled.model import reply
from tests.faults.scaled.person import Person
from tests.faults.scaled.plans import Plan, Stage
from tests.faults.scaled.tally import Tally
from tests.support.ollama import StandInOllama

PACE_SECONDS = 0.04
"""Between two words of the model."""
WARM_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial has shown."""

    tally: Tally
    summary: str

    @property
    def broken(self) -> list[str]:
        """The promises that did not hold."""
        return [*self.tally.broken.values(), *self.tally.failures]

    def told(self) -> str:
        """Return the tables and the verdict."""
        verdict = [f"BROKEN: {each}" for each in self.broken] or ["0 lost documents, 0 wrong answers, 0 responses 500"]
        return "\n".join([self.tally.tables(), "", self.summary, *verdict])


@asynccontextmanager
async def a_stage(folder: Path, *, workers: int = 2) -> AsyncIterator[tuple[Scaled, StandInOllama]]:
    """Run the topology with the stand-in for a model."""
    async with StandInOllama(reply=reply, interval=PACE_SECONDS) as ollama:
        settings: dict[str, Any] = {"chat_provider": "ollama", "embedder": "hashing", "ollama_url": ollama.url}
        async with scaled(folder, workers=workers, **settings, chat_titles="off", log_level="warning") as running:
            yield running, ollama


async def tried(running: Scaled, ollama: StandInOllama, plan: Plan, seconds: float, *, people: int, seed: int) -> Outcome:
    """Let people live while a plan is carried out, and judge."""
    tally = Tally()
    urls = [str(api.url) for api in running.apis]
    async with AsyncExitStack() as stack:
        crowd: list[Person] = []
        for number in range(people):
            door = await stack.enter_async_context(doors(urls, tally))
            chance = random.Random(f"{seed} {number}")  # noqa: S311 - a seed that can be given again is the point
            person = Person(door, chance, f"person-{uuid4().hex[:12]}")
            await person.register()
            crowd.append(person)
        # As an administrator would: nobody here is to meet the limits of the free tier.
        names = [person.username for person in crowd]
        await place_of(running).rows("update users set tier = 'enterprise' where username = any($1)", names)
        lives = [asyncio.create_task(person.live()) for person in crowd]
        try:
            await asyncio.sleep(WARM_SECONDS)
            await plan(Stage(running, ollama, tally), seconds)
            for person in crowd:
                person.resting.set()
            await asyncio.gather(*lives)
        finally:
            for life in lives:
                life.cancel()
            await asyncio.wait(lives)
        summary = await judged(running, crowd, tally)
    degraded = Counter[str]()
    for person in crowd:
        degraded.update(person.degraded)
    legs = ", ".join(f"{leg}: {times}" for leg, times in sorted(degraded.items()))
    return Outcome(tally, f"{summary}\nsearches without a leg: {legs}")
