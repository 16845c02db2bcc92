"""What others see for some seconds: whoever asks who they are, and the readers of 32 paced streams."""

import asyncio
from collections.abc import Sequence
from statistics import median, quantiles
from time import perf_counter

import aiohttp

from benchmarks.ingestion.promises import Bystanders
from benchmarks.streams.client import Target, ask_at_once

STREAMS = 32
EVERY_SECONDS = 0.02


async def seen(target: Target, url: str, token: str, *, warm_up: float, seconds: float, tokens: int) -> Bystanders:
    """Look for some seconds, once the streams have begun."""
    streams = asyncio.create_task(ask_at_once(target, STREAMS, warm_up=warm_up, seconds=seconds, tokens=tokens))
    await asyncio.sleep(warm_up)
    took, failures = await _asked(f"{url}/api/v1/auth/me", token, seconds)
    answers = await streams
    return Bystanders(median(took), _p99(took), median(answers.lags), _p99(answers.lags), failures + len(answers.failures))


async def _asked(url: str, token: str, seconds: float) -> tuple[list[float], int]:
    """Ask at a steady pace, one after the other; return how long each answer took, and how many were none."""
    took: list[float] = []
    failures = 0
    loop = asyncio.get_running_loop()
    begun = turn = loop.time()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        while turn < begun + seconds:
            asked = perf_counter()
            async with session.get(url) as response:
                await response.read()
                failures += response.status != 200
            took.append((perf_counter() - asked) * 1000)
            # Where an answer took longer than the pace, the turns that it took the time of are left out.
            turn += EVERY_SECONDS * max(1, -(-(loop.time() - turn) // EVERY_SECONDS))
            await asyncio.sleep(turn - loop.time())
    return took, failures


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]
