"""Nothing of a connection to Chroma stays open once it is closed."""

import asyncio
import gc
import warnings
from pathlib import Path
from uuid import uuid4

import numpy as np

from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from tests.support.chroma import running_chroma

VECTOR = np.eye(1, 8, dtype=np.float32)


async def test_calls_that_are_under_way_when_it_is_closed_leave_no_socket_open(tmp_path: Path) -> None:
    async with running_chroma(tmp_path) as server:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for moment in range(30):
                index, name = ChromaVectorIndex(server.url), f"docent-{uuid4().hex}"
                await index.check()
                calls = [
                    asyncio.ensure_future(call)
                    for call in (
                        index.upsert(name, [uuid4()], VECTOR),
                        index.count(name),
                        index.query(name, VECTOR[0], 1),
                        index.check(),
                    )
                ]
                await asyncio.sleep(moment / 1000)
                await index.aclose()
                await asyncio.gather(*calls, return_exceptions=True)
            del index, calls
            gc.collect()

    assert [str(each.message) for each in told if issubclass(each.category, ResourceWarning)] == []
