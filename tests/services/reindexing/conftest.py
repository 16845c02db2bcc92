"""Two models for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.core.failpoints import arm
from tests.support.cluster import Cluster, Database
from tests.support.two_models import TwoModels, open_two_models


@pytest.fixture
async def models(cluster: Cluster, database: Database, tmp_path: Path) -> AsyncIterator[TwoModels]:
    """The product with two embedders, on a database of the test's own; no failpoint outlives the test."""
    async with open_two_models(cluster, database, tmp_path) as opened:
        yield opened
    arm("")
