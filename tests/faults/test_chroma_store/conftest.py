"""A whole store, made by the real server."""

import json
import shutil
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import pytest_asyncio

from backend.adapters.servers.chroma_store import ChromaStore
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from tests.support.chroma import running_chroma


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def healthy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A store with one collection whose index was written out, one that is in the log only, and what a dropped one left."""
    folder = tmp_path_factory.mktemp("healthy")
    async with running_chroma(folder) as server:
        index = ChromaVectorIndex(server.url)
        vectors = np.random.default_rng(7).standard_normal((2560, 8)).astype(np.float32)
        await index.upsert("docent-large", [uuid4() for _ in range(2560)], vectors)
        await index.upsert("docent-small", [uuid4() for _ in range(5)], vectors[:5])
        await index.upsert("docent-gone", [uuid4() for _ in range(1500)], vectors[:1500])
        await index.drop("docent-gone")
        await index.aclose()
        await server.kill()
        yield server.store


@pytest.fixture
def store(healthy: Path, tmp_path: Path) -> ChromaStore:
    """A copy of it that this version wrote, with nothing to tell."""
    shutil.copytree(healthy, tmp_path / "chroma")
    (tmp_path / "chroma.json").write_text(json.dumps({"version": version("chromadb"), "loss": None}))
    return ChromaStore(tmp_path)
