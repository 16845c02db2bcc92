"""Kill the product, its PostgreSQL and its Chroma at many random moments, then break Chroma's folder.

    make prove-kills KILLS=50 SEED=1

It stops by itself: with 50 kills after about five minutes. The seed is printed; with the same one the moments are the same.
"""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.campaign import a_campaign
from tests.faults.crashes import report

LARGE = 20_000
"""Paragraphs, of which two make a chunk."""
LONGEST_SECONDS = 1800


async def prove(kills: int, seed: int) -> None:
    """Run the campaign in a folder of its own."""
    report(f"{kills} kills, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="docent-kills-") as folder:
        async with asyncio.timeout(LONGEST_SECONDS), a_campaign(Path(folder), seed) as campaign:
            await campaign.run(kills)
            await campaign.break_the_index(LARGE)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(prove(*(given + [50, random.SystemRandom().randrange(1 << 32)][len(given) :])))
