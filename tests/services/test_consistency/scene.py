"""Several owners with documents, and a look at all that is theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from backend.core.config import plain_url
from backend.core.values.defect import Compared, Defect, DefectKey
from backend.core.values.document import Document
from backend.worker.app import Worker
from tests.support.files import long_text
from tests.support.workshop import Workshop

QUESTION = "What was catalogued about {} 7?"
CONTENT = """
select to_jsonb(d) - 'updated_at' as row from documents d where d.id = $1
union all select to_jsonb(t) from document_texts t where t.document_id = $1
union all select to_jsonb(c) || jsonb_build_object('vectors', (select jsonb_agg(to_jsonb(v)) from chunk_vectors v
  where v.chunk_id = c.id)) from chunks c where c.document_id = $1
"""


@dataclass(slots=True)
class Scene:
    """``healthy`` are the owners' documents that nobody damages."""

    workshop: Workshop
    healthy: dict[UUID, Document] = field(default_factory=dict)
    made: int = 0

    async def move_in(self, name: str) -> UUID:
        """Open an account with a healthy document and a conversation."""
        owner_id = await self.workshop.furnished(name)
        self.healthy[owner_id] = await self.document(owner_id)
        return owner_id

    async def document(self, owner_id: UUID) -> Document:
        """Index a document that is like no other."""
        self.made += 1
        text = long_text(10, f"topic{self.made}").decode()
        document = await self.workshop.indexed(owner_id, text, filename=f"{self.made}.txt")
        await self.workshop.rows("delete from procrastinate_jobs where args->>'document_id' = $1", str(document.id))  # All done.
        return document

    async def collection(self, owner_id: UUID) -> str:
        """Return the collection that answers."""
        rows = await self.workshop.rows(
            "select collection from index_generations where owner_id = $1 and state = 'ready'", owner_id
        )
        return str(rows[0]["collection"])

    async def chunks(self, document: Document) -> list[UUID]:
        """Return the chunks of a document, in order."""
        rows = await self.workshop.rows("select id from chunks where document_id = $1 order by ordinal", document.id)
        return [row["id"] for row in rows]

    async def file(self, document: Document) -> Path:
        """Return where a document's file is."""
        found = await self.workshop.services.documents.get(document.owner_id, document.id)
        return self.workshop.files / found.blob_key

    async def defects(self, *, deep: bool = False, username: str | None = None) -> list[Defect]:
        """Return what a check finds."""
        service = self.workshop.services.consistency
        return [defect async for defect in service.check(Compared(), deep=deep, username=username)]

    async def keys(self, *, deep: bool = False) -> set[DefectKey]:
        """Return what a check finds, in short."""
        found = await self.defects(deep=deep)
        assert len({defect.key for defect in found}) == len(found)
        assert all(len(defect.sentence) > 10 for defect in found)
        return {defect.key for defect in found}

    async def repaired(self, *, deep: bool = False) -> list[Defect]:
        """Repair what a check finds, with a worker; return what is left."""
        found = await self.defects(deep=deep)
        async with self.working():
            return await self.workshop.services.consistency.repair(found, deep=deep)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run a worker."""
        url = plain_url(self.workshop.database.app_url)
        async with Worker(url, self.workshop.services, concurrency=2, grace_seconds=5).running(alone=True):
            yield

    async def content(self) -> dict[UUID, list[str]]:
        """Return every row, vector and byte of the healthy documents, and what the index answers about them."""
        found = {}
        for owner_id, document in self.healthy.items():
            rows = sorted(str(row["row"]) for row in await self.workshop.rows(CONTENT, document.id))
            subject = document.filename.removesuffix(".txt")
            answer = await self.workshop.retriever.retrieve(owner_id, QUESTION.format(f"topic{subject}"), within=None)
            first = answer.passages[0]
            assert first.document_id == document.id
            rows += [str((await self.file(document)).read_bytes()), first.text, str(answer.degraded)]
            found[owner_id] = rows
        return found
