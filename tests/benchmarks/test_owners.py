"""The benchmark's owners are sound, and what it tells of them is counted."""

from collections import Counter
from pathlib import Path

from backend.bootstrap.application import open_application
from backend.core.config import Settings
from backend.core.values.defect import Compared
from benchmarks.owners.asking import Timed
from benchmarks.owners.building import build
from tests.support.cluster import Cluster, Database


async def test_the_owners_that_are_written_in_bulk_are_as_if_they_had_been_uploaded(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    settings: Settings = cluster.settings(database, tmp_path)
    await build(settings, [3, 7])

    async with open_application(settings) as running:
        running.services.consistency.pause_seconds = 0.0
        compared = Compared()
        found = {defect.kind async for defect in running.services.consistency.check(compared)}

    assert (compared.owners, compared.vectors) == (2, 10)
    assert found == {"file_missing"}, "nobody asks for their files"


def test_a_row_tells_percentiles_and_shares() -> None:
    row = Timed([1.0] * 90 + [100.0] * 10, Counter(index=1, exact=3)).row("asked")

    assert row == "| asked | 100 | 1 | 100 | 100 | 25% | 75% | 0% | 0 |"
