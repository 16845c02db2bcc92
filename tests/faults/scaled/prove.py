"""Kill processes and stop servers under the scaled topology while people use it, and print what came of it.

    make prove-scaled SECONDS=180 SEED=1 PLAN=kills

Without a plan each of them runs for so many seconds. It ends with 1 when a promise was broken.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.crashes import report
from tests.faults.scaled.plans import PLANS
from tests.faults.scaled.trial import a_stage, tried

PEOPLE = 6


async def prove(plans: list[str], seconds: float, seed: int) -> int:
    """Carry out plans one after the other on one topology; return how many promises were broken."""
    broken = 0
    with tempfile.TemporaryDirectory(prefix="docent-scaled-") as folder:
        async with a_stage(Path(folder) / "scaled") as (running, ollama):
            for name in plans:
                report(f"== {name}: {seconds:.0f} s, {PEOPLE} people, seed {seed}")
                outcome = await tried(running, ollama, PLANS[name], seconds, people=PEOPLE, seed=seed)
                report(outcome.told())
                broken += len(outcome.broken)
    return broken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults.scaled.prove")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--plan", choices=list(PLANS), action="append")
    given = parser.parse_args()
    sys.exit(1 if asyncio.run(prove(given.plan or list(PLANS), given.seconds, given.seed)) else 0)
