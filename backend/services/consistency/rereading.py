"""Documents that are read from their files again, and those whose files are lost."""

from uuid import UUID

from backend.core.errors import BlobNotFoundError
from backend.core.values.defect import Defect
from backend.core.values.document import UNFINISHED, Document
from backend.db.repositories.stored import StoredFile
from backend.db.uow import Transaction, UnitOfWork
from backend.services.consistency.files import FileExaminer
from backend.services.indexing.purging import queue_tidying


class Rereader:
    """Replaces what was made of a file by what is in it."""

    def __init__(self, uow: UnitOfWork, files: FileExaminer) -> None:
        self._uow = uow
        self._files = files

    async def read_again(self, defect: Defect) -> None:
        """Queue the reading of a document as a new version of itself, which then replaces the broken one in one step.

        Where its file is lost, or a newer one that could not be read stands in its place, the broken version answers no more, and
        the document ends as ``failed`` with a sentence.
        """
        document = await self._document(defect)
        if document is None or document.live_version is None or document.status in UNFINISHED:
            return
        newest = document.status == "ready"
        whole = newest and not document.file_lost and await self._files.is_whole(_file(document))
        async with self._uow.of(document.owner_id) as tx:
            if await tx.documents.get(document.owner_id, document.id, hold=True) != document:
                return  # Something happened to it meanwhile.
            if whole:
                await _defer(tx, "index_document", document)
                await tx.documents.queue_again(document.owner_id, document.id, version=document.version + 1)
            else:
                await _end(tx, document, document.live_version, newest=newest)

    async def lose_file(self, defect: Defect) -> None:
        """Note that a document's file is lost. What was read from it goes on answering; without that it is ``failed``."""
        document = await self._document(defect)
        if document is None or await self._files.is_whole(_file(document)):
            return
        owner_id = document.owner_id
        async with self._uow.of(owner_id) as tx:
            found = await tx.documents.get(owner_id, document.id, hold=True)
            if found is None or found.blob_key != document.blob_key:
                return
            if found.status != "ready":
                await _fail(tx, found)
            await tx.documents.update(owner_id, found.id, file_lost=True)

    async def _document(self, defect: Defect) -> Document | None:
        if defect.owner_id is None:
            return None
        async with self._uow.of(defect.owner_id) as tx:
            return await tx.documents.get(defect.owner_id, UUID(defect.subject))


async def _end(tx: Transaction, document: Document, live_version: int, *, newest: bool) -> None:
    """End the life of a version. Locked in the order of everybody: the document, the generations, the lexemes."""
    owner_id = document.owner_id
    await tx.generations.of_owner(owner_id, hold=True)
    await tx.lexicon.remove_document(owner_id, document.id, live_version)
    if newest:
        # Its text stays, for old citations point into it: what failed is a version after it.
        await _fail(tx, document)
        await tx.documents.update(owner_id, document.id, version=document.version + 1, file_lost=True)
    else:
        await queue_tidying(tx, owner_id, document.id)
    await tx.documents.update(owner_id, document.id, live_version=None, chunks=0)


async def _fail(tx: Transaction, document: Document) -> None:
    await tx.documents.end(document.owner_id, document.id, code=BlobNotFoundError.code, message=BlobNotFoundError.message)
    await queue_tidying(tx, document.owner_id, document.id)


async def _defer(tx: Transaction, task: str, document: Document) -> None:
    await tx.jobs.defer(task, lock=str(document.id), owner_id=document.owner_id, document_id=document.id)


def _file(document: Document) -> StoredFile:
    return StoredFile(document.id, document.owner_id, document.blob_key, document.size, document.sha256)
