"""The product with two embedders whose vectors cannot be taken for each other's, and its jobs, done one by one when told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.bootstrap.application import Replacements, open_application
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.ports.embedder import Vector, Vectors
from backend.services.embedders import Embedders
from backend.services.registry import Services
from backend.services.retrieval import Retriever
from tests.support.cluster import Cluster, Database
from tests.support.parts import CountingEmbedder, PlainTextParser, SwitchableIndex
from tests.support.workshop import Workshop

SMALL = 64
Job = Callable[[Services, dict[str, Any]], Awaitable[None]]


class SmallEmbedder(CountingEmbedder):
    """Another model: its vectors have 64 dimensions, so that comparing them with the other one's is an error and not a result."""

    identity = "hashing/small-64"
    batch_size = 3

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        return _folded(await super().embed_documents(texts))

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        vector: Vector = _folded((await super().embed_query(text))[np.newaxis])[0]
        return vector

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``."""
        return SMALL


def _folded(vectors: Vectors) -> Vectors:
    folded = vectors.reshape(len(vectors), -1, SMALL).sum(axis=1)
    lengths = np.maximum(np.linalg.norm(folded, axis=1, keepdims=True), 1e-6)
    return np.asarray(folded / lengths, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class TwoModels:
    """A workshop, and the model that its owners do not begin with."""

    workshop: Workshop
    small: SmallEmbedder

    @property
    def large(self) -> CountingEmbedder:
        """The model that its owners begin with."""
        return self.workshop.embedder

    def embedded(self, model: HashingEmbedder) -> list[str]:
        """Return every text that a model embedded, in order."""
        assert isinstance(model, CountingEmbedder)
        return [text for batch in model.batches for text in batch]

    async def answering(self, owner_id: UUID) -> str:
        """Return the identity of the model that answers an owner."""
        rows = await self.workshop.rows("select embedder from index_generations where owner_id = $1 and state = 'ready'", owner_id)
        return ",".join(row["embedder"] for row in rows)


@asynccontextmanager
async def open_two_models(cluster: Cluster, database: Database, folder: Path) -> AsyncIterator[TwoModels]:
    """Open the product on this database."""
    parser, large, small, index = PlainTextParser(), CountingEmbedder(), SmallEmbedder(), SwitchableIndex(cluster.chroma_url)
    replacing = Replacements(parser=parser, embedder=large, other_embedders=(small,), index=index)
    uow = UnitOfWork(make_engine(database.app_url, pool_size=5))
    async with open_application(cluster.settings(database, folder), replacing=replacing) as running:
        embedders = Embedders({large.identity: large, small.identity: small}.__getitem__)
        retriever = Retriever(uow, index, embedders, exact_chunks=0)
        workshop = Workshop(running.services, uow, retriever, parser, large, index, folder / "files", database)
        yield TwoModels(workshop, small)
    await uow.aclose()


async def ids_in(index: SwitchableIndex, collection: str) -> set[UUID]:
    """Return the ids of all vectors in a collection."""
    return {chunk_id for page in [page async for page in index.ids(collection)] for chunk_id in page if isinstance(chunk_id, UUID)}


JOBS: dict[str, Job] = {
    "index_document": lambda s, a: s.documents.index(a["owner_id"], a["document_id"]),
    "tidy_document": lambda s, a: s.documents.tidy(a["owner_id"], a["document_id"]),
    "purge_document": lambda s, a: s.documents.purge(a["owner_id"], a["document_id"]),
    "confirm_vectors": lambda s, a: s.documents.confirm(a["owner_id"], a["document_id"]),
    "build_generation": lambda s, a: s.reindexing.build_generation(a["owner_id"], a["generation_id"]),
    "rebuild_collection": lambda s, a: s.reindexing.rebuild_collection(a["owner_id"], a["generation_id"]),
    "drop_collection": lambda s, a: s.reindexing.drop_collection(a["collection"]),
}
NEXT = (
    "update procrastinate_jobs set status = 'doing' where id = (select id from procrastinate_jobs where status = 'todo'"
    " and task_name = any($1) order by priority desc, id limit 1) returning id, task_name, args"
)


async def do_next(workshop: Workshop, *names: str) -> str | None:
    """Do the next job of these names, or of any, whatever time it waits for; one that fails stays queued. Returns its name."""
    rows = await workshop.rows(NEXT, list(names or JOBS))
    if not rows:
        return None
    job = rows[0]
    arguments = {key: value if key == "collection" else UUID(value) for key, value in orjson.loads(job["args"]).items()}
    try:
        await JOBS[job["task_name"]](workshop.services, arguments)
    except BaseException:
        await workshop.rows("update procrastinate_jobs set status = 'todo' where id = $1", job["id"])
        raise
    await workshop.rows("delete from procrastinate_jobs where id = $1", job["id"])
    return str(job["task_name"])


async def do_all(workshop: Workshop, *names: str) -> list[str]:
    """Do all jobs, and those that they queue; return their names."""
    done: list[str] = []
    while (name := await do_next(workshop, *names)) is not None:
        done.append(name)
        assert len(done) < 500, done[-10:]
    return done
