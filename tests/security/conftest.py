"""A workshop for each test, and connections as the roles have them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend.core.config import plain_url
from backend.models import Base
from tests.support.cluster import Cluster, Database
from tests.support.workshop import Workshop, open_workshop

OWNED = {table.name: "owner_id" for table in Base.metadata.sorted_tables if "owner_id" in table.columns} | {"users": "id"}


@pytest.fixture
async def workshop(cluster: Cluster, database: Database, tmp_path: Path) -> AsyncIterator[Workshop]:
    """The product with parts that can be made to fail, on a database of the test's own."""
    async with open_workshop(cluster, database, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def connected(url: str, owner_id: UUID | None = None) -> AsyncIterator[Any]:
    """Connect for real, in a transaction with an owner's view or with no view at all; it is rolled back."""
    connection = await asyncpg.connect(plain_url(url))
    try:
        transaction = connection.transaction()
        await transaction.start()
        if owner_id is not None:
            await connection.execute("select set_config('docent.owner_id', $1, true)", str(owner_id))
        yield connection
        await transaction.rollback()
    finally:
        await connection.close()
