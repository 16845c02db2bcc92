"""A workshop for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.backups import Place
from tests.support.cluster import Cluster, Database
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
async def workshop(cluster: Cluster, database: Database, tmp_path: Path) -> AsyncIterator[Workshop]:
    """The product with parts that can be made to fail, on a database of the test's own."""
    async with open_workshop(cluster, database, tmp_path) as opened:
        yield opened


@pytest.fixture
async def place(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty place to restore into."""
    async with cluster.database() as empty:
        yield Place(cluster, empty, tmp_path / "elsewhere")
