"""The short form of ``make prove-scaled``: the same load, plans and judge, with one kill of each kind and one outage."""

import sys
from pathlib import Path

import pytest

from tests.faults.crashes import report
from tests.faults.scaled.plans import short
from tests.faults.scaled.trial import a_stage, tried

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.timeout(600),
]


async def test_kills_and_outages_lose_nothing_and_nothing_is_called_complete_that_is_not(tmp_path: Path) -> None:
    async with a_stage(tmp_path / "scaled", workers=1) as (running, ollama):
        outcome = await tried(running, ollama, short, 0, people=2, seed=20_261_122)
    report(outcome.told())
    assert outcome.broken == []
