"""Kills at random moments; ``make prove-kills`` makes more of them."""

import sys
from pathlib import Path

import pytest

from tests.faults.campaign import a_campaign
from tests.faults.crashes import report

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.timeout(600),
]

SEED = 20_261_122
KILLS = 5


async def test_after_kills_at_random_moments_nothing_accepted_is_lost_or_there_twice(tmp_path: Path) -> None:
    report(f"seed {SEED}")
    async with a_campaign(tmp_path, SEED) as campaign:
        await campaign.run(KILLS)


async def test_an_index_that_was_broken_is_filled_again_without_embedding_anything(tmp_path: Path) -> None:
    async with a_campaign(tmp_path, SEED) as campaign:
        await campaign.break_the_index(2400)
