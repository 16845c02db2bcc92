"""A flow through everything that happens to a document, run once for each call that may fail and each way in which it may."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import orjson
import procrastinate
from procrastinate.testing import InMemoryConnector

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.language_detectors.langid import LangidLanguageDetector
from backend.adapters.limiters.memory import MemoryLimiter
from backend.adapters.sql_parsers.sqlglot import SqlglotParser
from backend.bootstrap.servers import Addresses
from backend.bootstrap.wiring import Parts, put_together
from backend.core.config import plain_url
from backend.core.errors import DocumentNotFoundError, DuplicateDocumentError
from backend.core.security import PasswordHasher
from backend.core.values.document import Document
from backend.db.engine import make_engine
from backend.db.repositories.generations import Generation
from backend.services.embedders import PREFERRED, Embedders
from backend.services.indexing.generations import GenerationBuilder, queue_generation
from backend.services.indexing.pipeline import IndexingPipeline
from backend.services.providers import Providers
from backend.services.registry import Services
from backend.worker.tasks import add_tasks
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file, long_text
from tests.support.interference import (
    InterferedBlobStore,
    InterferedEmbedder,
    InterferedIndex,
    InterferedParser,
    InterferedUnitOfWork,
    Trial,
    running,
)
from tests.support.invariants import Place, unsound

T = TypeVar("T")

FIRST, SECOND = long_text(10), long_text(9, "planet")
MOST_JOBS = 60
TRIES = 4
NEXT_JOB = (
    "select id, task_name, args::text, attempts from procrastinate_jobs where status = 'todo'"
    " and (args->>'owner_id' = $1::uuid::text or args->>'collection' like $2) order by priority desc, id limit 1"
)
UNINDEXED = "select exists (select from chunk_vectors where owner_id = $1 and not indexed)"
LEFT = (
    "select (select count(*) from documents where owner_id = $1) + (select count(*) from document_texts where owner_id = $1)"
    " + (select count(*) from chunks where owner_id = $1) + (select count(*) from chunk_vectors where owner_id = $1)"
    " + (select count(*) from lexemes where owner_id = $1) + (select count(*) from corpus_sizes where owner_id = $1)"
)


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Services on parts that may fail, and a queue that is emptied by hand."""

    services: Services
    uow: InterferedUnitOfWork
    index: InterferedIndex
    builder: GenerationBuilder
    tasks: procrastinate.App
    place: Place
    pool: asyncpg.Pool

    async def run(self, trial: Trial) -> None:
        """Run the flow in a context of its own.

        Raises:
            AssertionError: Something that was promised is not so; it names the trial.
        """
        running.set(trial)
        owner_id = await self._account()
        try:
            await self._flow(trial, owner_id)
        except Exception as error:
            raise AssertionError(f"{trial}: {error!r}") from error
        finally:
            for generation in await self._generations(owner_id):
                with aside():  # Each takes megabytes of the server's memory.
                    await self.index.drop(generation.collection)

    async def _flow(self, trial: Trial, owner_id: UUID) -> None:
        documents = self.services.documents
        document = await self._insist(trial, lambda: documents.upload(owner_id, a_file("notes.txt", FIRST)))
        if document is None:  # The answer to the commit got lost, and the second time it was a duplicate.
            with aside():
                (document,) = (await documents.page(owner_id, limit=2, after=None)).items
        await self._settled(trial, document, version=1)
        # What comes after the failure and its mending is as undisturbed as in every other trial, but for the end.
        if not trial.struck:
            replaced = await self._insist(trial, lambda: documents.replace(owner_id, document.id, a_file("notes.txt", SECOND)))
            assert replaced is not None
            await self._settled(trial, document, version=2)
        if not trial.struck:
            await self._index_anew(trial, document)

        await self._insist(trial, lambda: documents.delete(owner_id, document.id))
        await self._work(trial, owner_id)
        assert await self.pool.fetchval(LEFT, owner_id) == 0
        assert await unsound(self.place, [owner_id]) == []
        assert [key for key in trial.blob_keys if (self.place.files / key).exists()] == []
        assert trial.struck or not trial.call, f"never came to {trial}"

    async def _index_anew(self, trial: Trial, document: Document) -> None:
        (generation,) = await self._generations(document.owner_id)
        await self._insist(trial, lambda: self._rebuild(generation))
        await self._settled(trial, document, version=2)
        (moved,) = await self._generations(document.owner_id)
        sound = await self._insist(trial, lambda: self.builder.verify(moved))
        await self._settled(trial, document, version=2)
        assert sound is ((trial.call, trial.kind) != ("index.count", "broken"))

    async def _insist(self, trial: Trial, call: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Do what a client does whose request failed: the same again. None if it turns out that the first one was enough."""
        for _ in range(TRIES):
            try:
                trial.task = task = asyncio.create_task(call())
                return await task
            except (DuplicateDocumentError, DocumentNotFoundError):
                assert trial.struck
                return None
            except (Exception, asyncio.CancelledError):
                if not trial.struck:
                    raise
        raise AssertionError("a retry did not succeed")

    async def _settled(self, trial: Trial, document: Document, *, version: int) -> None:
        """Empty the queue. The document is ready, or failed with a reason and ready once it is tried again."""
        documents = self.services.documents
        await self._work(trial, document.owner_id)
        with aside():
            found = await documents.get(document.owner_id, document.id)
        if found.status == "failed":
            assert trial.struck
            assert found.error_message
            assert await unsound(self.place, [document.owner_id]) == []
            await documents.retry(document.owner_id, document.id)
            await self._work(trial, document.owner_id)
            found = await documents.get(document.owner_id, document.id)
        assert (found.status, found.live_version) == ("ready", version)
        if trial.struck and await self.pool.fetchval(UNINDEXED, document.owner_id):
            with aside():  # By the clock, every half a minute.
                await self.services.maintenance.reconcile()
            await self._work(trial, document.owner_id)
        if trial.struck:
            assert await unsound(self.place, [document.owner_id]) == []

    async def _work(self, trial: Trial, owner_id: UUID) -> None:
        """Do the owner's jobs as the worker does, retries included, until none is left. Time passes as it has to."""
        for _ in range(MOST_JOBS):
            row = await self.pool.fetchrow(NEXT_JOB, owner_id, f"docent-{owner_id.hex}-%")
            if row is None:
                return
            task = self.tasks.tasks[row["task_name"]]
            outcome = "delete from procrastinate_jobs where id = $1"
            trial.task = asyncio.create_task(task.func(**orjson.loads(row["args"])))
            try:
                await trial.task
            except (Exception, asyncio.CancelledError) as error:
                job = procrastinate.jobs.Job(
                    id=row["id"],
                    queue="default",
                    lock=None,
                    queueing_lock=None,
                    task_name=row["task_name"],
                    attempts=row["attempts"],
                )
                outcome = "update procrastinate_jobs set attempts = attempts + 1 where id = $1"
                if task.get_retry_exception(error, job) is None:
                    raise
            await self.pool.execute(outcome, row["id"])
        raise AssertionError("the queue does not become empty")

    async def _account(self) -> UUID:
        owner_id = uuid4()
        await self.pool.execute(
            "insert into users (id, username, email, password_hash) values ($1, $2, $3, '')",
            owner_id,
            owner_id.hex,
            f"{owner_id.hex}@example.com",
        )
        return owner_id

    async def _generations(self, owner_id: UUID) -> list[Generation]:
        with aside():
            async with self.uow.of(owner_id) as tx:
                return await tx.generations.of_owner(owner_id)

    async def _rebuild(self, generation: Generation) -> None:
        async with self.uow.of(generation.owner_id) as tx:
            await queue_generation(tx, "rebuild_collection", generation)


@contextmanager
def aside() -> Iterator[None]:
    """Look on, without being counted or disturbed."""
    token = running.set(None)
    try:
        yield
    finally:
        running.reset(token)


@asynccontextmanager
async def open_laboratory(cluster: Cluster, database: Database, folder: Path) -> AsyncIterator[Laboratory]:
    """Put the services together on a database, with parts that may fail."""
    settings = cluster.settings(database, folder)
    uow = InterferedUnitOfWork(make_engine(database.app_url, pool_size=12))
    blobs, index, parser = InterferedBlobStore.at(folder / "files"), InterferedIndex(cluster.chroma_url), InterferedParser()
    embedder, passwords, languages = InterferedEmbedder(), PasswordHasher(), LangidLanguageDetector()
    embedders = Embedders({embedder.identity: embedder}.__getitem__)
    model = Providers(ExtractiveChatModel())
    parts = Parts(uow, blobs, parser, index, model, embedders, passwords, MemoryLimiter(), languages, SqlglotParser())
    services = put_together(settings, Addresses(database.owner_url, database.app_url, cluster.chroma_url, exclusive=False), parts)
    builder = GenerationBuilder(uow, index, embedders, IndexingPipeline(uow, blobs, parser, embedders, index, languages=languages))
    tasks = procrastinate.App(connector=InMemoryConnector())
    add_tasks(tasks, services)
    async with uow.system() as tx:
        await tx.settings.remember(PREFERRED, embedder.identity)
    async with asyncpg.create_pool(plain_url(database.app_url), min_size=1, max_size=4, setup=_see_everything) as pool:
        place = Place(database.app_url, cluster.chroma_url, folder / "files")
        yield Laboratory(services, uow, index, builder, tasks, place, pool)
    await index.aclose()
    await uow.aclose()
    passwords.close()


async def _see_everything(connection: Any) -> None:
    await connection.execute("select set_config('docent.mode', 'system', false)")
