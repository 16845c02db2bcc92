"""Taking in what was uploaded, once for each Idempotency-Key."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from backend.api.deps import DocumentId, Documents, Usage, Writer
from backend.api.errors import problem_of
from backend.api.idempotency import REPLAYED, Once, RunsOnce, assert_same_file
from backend.api.limits import announced_bytes
from backend.api.uploads import ENVELOPE_BYTES, incoming, incoming_file
from backend.api.uploads.files import FilePart, Files
from backend.core.errors import DocentError, DuplicateDocumentError, ScopeMissingError
from backend.core.values.document import Document, Upload
from backend.core.values.idempotency import StoredOutcome
from backend.core.values.user import Caller
from backend.schemas.documents import DocumentOut, RejectedOut, UploadsOut
from backend.services.documents.library import DocumentService
from backend.services.usage import UsageService

Store = Callable[[Upload, str | None], Awaitable[Document]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that a file was taken into, now or by an earlier request with the same key."""

    document: Document
    replayed: bool


@dataclass(frozen=True, slots=True)
class Reception:
    """Takes in the files of one request."""

    caller: Caller
    documents: DocumentService
    usage: UsageService
    once: RunsOnce
    response: Response

    async def upload(self, found: Upload | Files) -> DocumentOut | UploadsOut:
        """Take in one file, or several, each on its own."""
        if isinstance(found, Files):
            return await self._several(found)
        return self._answer(await self._take(self.once, "upload", found, self._store))

    async def replace(self, document_id: UUID, upload: Upload) -> DocumentOut:
        """Take in a new version of a document.

        Raises:
            DuplicateDocumentError: Another document has these bytes. A key is told which only if it reaches that one.
        """

        async def store(upload: Upload, key: str | None) -> Document:
            return await self.documents.replace(self.caller.user_id, document_id, upload, idempotency_key=key)

        try:
            return self._answer(await self._take(self.once, f"replace {document_id}", upload, store))
        except DuplicateDocumentError as error:
            twin = error.details.get("document_id")
            if twin is None or self.caller.reach.covers([UUID(str(twin))]):
                raise
            raise DuplicateDocumentError from None

    async def _several(self, files: Files) -> UploadsOut:
        """The key of the request says what it is for; those of its parts, what each file has made."""

        async def take(key: str | None) -> UploadsOut:
            taken = await self._each(files)
            if key is not None:
                await self.once.service.finish(self.caller.user_id, key, status=202, headers={}, body=b"")
            return taken

        async def again(_earlier: StoredOutcome) -> UploadsOut:
            return await self._each(files)

        return await self.once.run(self.caller, "upload files", take, again)

    async def _each(self, files: Files) -> UploadsOut:
        taken: list[Taken] = []
        rejected: list[RejectedOut] = []
        try:
            async with aclosing(files.parts()) as parts:
                async for part in parts:
                    try:
                        taken.append(await self._part(part))
                    except DocentError as error:
                        rejected.append(RejectedOut(filename=part.filename, problem=problem_of(error)))
        except DocentError as error:
            # What was accepted before the body broke stays accepted, so the client has to be told of it.
            error.details.update(_outcome(taken, rejected).model_dump(mode="json"))
            raise
        if taken and all(each.replayed for each in taken):
            self.response.headers.update(REPLAYED)
        return _outcome(taken, rejected)

    async def _part(self, part: FilePart) -> Taken:
        if self.once.key is None:
            await self.usage.assert_may_store(self.caller.user_id, None)
        return await self._take(self.once.part(part.position), "upload", part.upload(), self._store)

    async def _take(self, once: RunsOnce, operation: str, upload: Upload, store: Store) -> Taken:
        async def accept(key: str | None) -> Taken:
            return Taken(await store(once.kept_alive(self.caller, upload), key), replayed=False)

        async def replay(earlier: StoredOutcome) -> Taken:
            await assert_same_file(earlier, upload)
            return Taken(await self.documents.get(self.caller.user_id, earlier.made), replayed=True)

        return await once.run(self.caller, operation, accept, replay)

    async def _store(self, upload: Upload, key: str | None) -> Document:
        return await self.documents.upload(self.caller.user_id, upload, idempotency_key=key)

    def _answer(self, taken: Taken) -> DocumentOut:
        if taken.replayed:
            self.response.headers.update(REPLAYED)
        self.response.headers["Location"] = f"/api/v1/chat/documents/{taken.document.id}"
        return DocumentOut.of(taken.document)


def _outcome(taken: list[Taken], rejected: list[RejectedOut]) -> UploadsOut:
    return UploadsOut(accepted=[DocumentOut.of(each.document) for each in taken], rejected=rejected)


async def _reception(caller: Writer, documents: Documents, usage: Usage, once: Once, response: Response) -> Reception:
    return Reception(caller, documents, usage, once, response)


Receive = Annotated[Reception, Depends(_reception)]


async def _accept_upload(request: Request, reception: Receive) -> Callable[[], Awaitable[DocumentOut | UploadsOut]]:
    """Who calls, and that there is room, is known before the first byte of a file is read; of several, each is looked at later."""
    caller = reception.caller
    if caller.reach.document_ids is not None:
        raise ScopeMissingError("A key that reaches some documents only cannot add others.")
    found = await incoming(request, max_bytes=request.app.state.max_upload_bytes)
    # The first outcome may be told again where there is no room any more.
    if isinstance(found, Upload) and reception.once.key is None:
        await reception.usage.assert_may_store(caller.user_id, announced_bytes(request, envelope=ENVELOPE_BYTES))
    return partial(reception.upload, found)


AcceptUpload = Annotated[Callable[[], Awaitable[DocumentOut | UploadsOut]], Depends(_accept_upload)]


async def _accept_version(request: Request, document_id: DocumentId, reception: Receive) -> Callable[[], Awaitable[DocumentOut]]:
    """That there is such a document, and room, is known before the first byte of its new file is read."""
    present = await reception.documents.get(reception.caller.user_id, document_id)
    if reception.once.key is None:
        announced = announced_bytes(request, envelope=ENVELOPE_BYTES)
        await reception.usage.assert_may_store(reception.caller.user_id, announced, replacing=present.size)
    upload = await incoming_file(request, max_bytes=request.app.state.max_upload_bytes)
    return partial(reception.replace, document_id, upload)


AcceptVersion = Annotated[Callable[[], Awaitable[DocumentOut]], Depends(_accept_version)]
