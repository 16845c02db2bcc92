"""A worker that is told to stop stops, whatever it is doing at that moment."""

import asyncio

from tests.conftest import ApplicationFactory

MOMENTS = 60
STEP_SECONDS = 0.004
"""Opening the pool, looking for what was lost and signing in take about a tenth of a second."""


async def test_it_stops_at_every_moment_of_its_start(application: ApplicationFactory) -> None:
    async with application() as running:
        for moment in range(MOMENTS):
            async with asyncio.timeout(60):
                async with running.worker.running(alone=moment % 2 == 0):
                    await asyncio.sleep(moment * STEP_SECONDS)
