"""The product on a database of a test's own, with parts that can be made to fail, and a look behind the walls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from backend.bootstrap.application import Replacements, open_application
from backend.core.clock import now
from backend.core.config import plain_url
from backend.core.ids import new_id
from backend.core.values.chat import Answer, Source, Timings, Usage
from backend.core.values.document import Document
from backend.core.values.task import TaskRequest
from backend.core.values.user import Caller, Origin
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.services.embedders import Embedders
from backend.services.registry import Services
from backend.services.retrieval import Retriever
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file
from tests.support.parts import CountingEmbedder, PlainTextParser, SwitchableIndex

PLAINLY = TaskRequest(model="m", named=False, temperature=None, max_tokens=None, strict=False, within=None)


@dataclass(frozen=True, slots=True)
class Workshop:
    """The services, the parts they are made of, and the rows they leave behind."""

    services: Services
    uow: UnitOfWork
    retriever: Retriever
    parser: PlainTextParser
    embedder: CountingEmbedder
    index: SwitchableIndex
    files: Path
    database: Database

    async def user(self, name: str = "alice") -> UUID:
        """Open an account."""
        unique = f"{name}-{uuid4().hex[:12]}"
        user = await self.services.accounts.register(
            username=unique, email=f"{unique}@example.com", password="correct horse", full_name=None
        )
        return user.id

    async def uploaded(self, owner_id: UUID, text: str, *, filename: str = "notes.txt") -> Document:
        """Upload a text."""
        return await self.services.documents.upload(owner_id, a_file(filename, text.encode()))

    async def indexed(self, owner_id: UUID, text: str, *, filename: str = "notes.txt") -> Document:
        """Upload a text and make it ready."""
        document = await self.uploaded(owner_id, text, filename=filename)
        return await self.attempted(document)

    async def attempted(self, document: Document) -> Document:
        """Make one attempt at indexing a document, tidy up after it as the worker does, and return what became of it."""
        await self.services.documents.index(document.owner_id, document.id)
        await self.services.documents.tidy(document.owner_id, document.id)
        return await self.services.documents.get(document.owner_id, document.id)

    async def rows(self, sql: str, *arguments: object) -> list[Any]:
        """Run a statement on the tables, with the view of the system."""
        connection = await asyncpg.connect(plain_url(self.database.owner_url))
        try:
            await connection.execute("select set_config('docent.mode', 'system', false)")
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def jobs(self, document: Document) -> list[str]:
        """Return the names of a document's jobs, oldest first."""
        found = await self.rows(
            "select task_name from procrastinate_jobs where args->>'document_id' = $1 order by id", str(document.id)
        )
        return [row["task_name"] for row in found]

    async def in_index(self, owner_id: UUID) -> int:
        """Return how many vectors Chroma has of an owner."""
        collections = await self.rows("select collection from index_generations where owner_id = $1", owner_id)
        return sum([await self.index.count(row["collection"]) for row in collections])

    async def furnished(self, name: str) -> UUID:
        """Open an account that has rows in every table."""
        owner_id = await self.user(name)
        username = (await self.services.profile.me(owner_id)).username
        await self.services.accounts.sign_in(login=username, password="correct horse")
        await self.indexed(owner_id, f"The diary of {name}: whales eat krill.")
        session = await self.services.sessions.create(owner_id, title=f"{name}'s", document_ids=None)
        answer_id = await self.turn(owner_id, session.id)
        caller = Caller(user_id=owner_id, role="user", tier="free", sign_in_id=owner_id)
        await self.services.keys.create(caller, name="a key", scopes=["chat"], document_ids=None, expires_at=None, origin=Origin())
        await self.services.administration.reset_link(caller, owner_id, origin=Origin())
        await self.services.idempotency.begin(owner_id, "a key", "query", b"a fingerprint")
        async with self.uow.of(owner_id) as tx:
            await tx.tasks.add(
                owner_id, task_id=(task_id := new_id()), session_id=session.id, message_id=answer_id, key_id=None, request=PLAINLY
            )
            await tx.tasks.end(owner_id, task_id, "succeeded")
            await tx.usage.add(owner_id, now().date(), questions=1, prompt_tokens=1, completion_tokens=1)
        return owner_id

    def blobs(self) -> list[Path]:
        """Return the stored files."""
        return [path for path in self.files.rglob("*") if path.is_file()]

    async def turn(self, owner_id: UUID, session_id: UUID, number: int = 1) -> UUID:
        """Store a question with its answer and one source, as a chat turn does."""
        question_id, answer_id = new_id(), new_id()
        source = Source(1, new_id(), "Notes", None, None, 0, 4, "text", 0.5, cited=True)
        answer = Answer(
            text=f"Answer {number}",
            session_id=session_id,
            message_id=answer_id,
            status="complete",
            answer_status="grounded",
            model="m",
            sources=(source,),
            usage=Usage(1, 2, None),
            timings=Timings(1.0, 2.0, 3.0),
        )
        async with self.uow.of(owner_id) as tx:
            await tx.messages.add_turn(
                owner_id, session_id, question_id=question_id, question=f"Question {number}", answer_id=answer_id, model="m"
            )
            assert await tx.messages.finish(owner_id, answer)
        return answer_id


@asynccontextmanager
async def open_workshop(cluster: Cluster, database: Database, folder: Path, **settings: object) -> AsyncIterator[Workshop]:
    """Open the product on this database, with its files in the folder."""
    parser, embedder, index = PlainTextParser(), CountingEmbedder(), SwitchableIndex(cluster.chroma_url)
    chosen = cluster.settings(database, folder, **settings)
    replacing = Replacements(parser=parser, embedder=embedder, index=index)
    uow = UnitOfWork(make_engine(database.app_url, pool_size=5))
    async with open_application(chosen, replacing=replacing) as running:
        retriever = Retriever(uow, index, Embedders({embedder.identity: embedder}.__getitem__), exact_chunks=0)
        yield Workshop(running.services, uow, retriever, parser, embedder, index, folder / "files", database)
    await uow.aclose()
