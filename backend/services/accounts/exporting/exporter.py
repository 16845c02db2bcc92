"""The export of an account: all that is its owner's, while everything goes on."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import date
from tempfile import SpooledTemporaryFile
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import BlobNotFoundError, TokenInvalidError
from backend.core.values.document import Document
from backend.core.values.page import Cursor
from backend.core.values.user import Origin
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.services import transcripts
from backend.services.accounts.exporting import writing
from backend.services.accounts.exporting.zipping import ZipStream, safe_name

AT_ONCE = 100
"""Rows of one transaction."""
TEXT_NAME = re.compile(r"text(-version-\d+)?\.txt", re.IGNORECASE)
CHARACTERS_AT_ONCE = 500_000
HELD_BYTES = 1 << 20
"""Of the list of documents: a longer one waits on the disk."""

Zipped = AsyncGenerator[bytes, None]


class AccountExporter:
    """Hands people everything that is theirs as one zip file.

    Nothing is held in memory but the piece that is being sent, and no transaction stays open while it is. What is deleted meanwhile
    is left out; what is added may be.
    """

    def __init__(self, uow: UnitOfWork, blobs: BlobStore) -> None:
        self._uow = uow
        self._blobs = blobs

    async def export(self, owner_id: UUID, *, origin: Origin) -> Zipped:
        """Yield the zip file of everything that the owner has, and note that it was asked for.

        Raises:
            TokenInvalidError: The account was deleted meanwhile; nothing was yielded.
            UnavailableError: PostgreSQL or the store of files does not answer. A file that has begun then has no end.
        """
        async with self._uow.of(owner_id) as tx:
            user = await tx.users.get(owner_id)
            if user is None:
                raise TokenInvalidError
            await tx.audit.note("account_exported", actor_id=owner_id, subject_id=owner_id, origin=origin)
        stream = ZipStream(now())
        parts = (
            stream.add("README.txt", _once(writing.README.encode())),
            stream.add("profile.json", _once(writing.profile(user))),
            self._documents(stream, owner_id),
            self._sessions(stream, owner_id),
            stream.add("tasks.json", transcripts.listed(self._tasks(owner_id))),
            stream.add("keys.json", transcripts.listed(self._keys(owner_id))),
            stream.add("sign-ins.json", transcripts.listed(self._sign_ins(owner_id))),
            stream.add("usage.json", transcripts.listed(self._usage(owner_id))),
            stream.add("audit.json", transcripts.listed(self._events(owner_id))),
        )
        for part in parts:
            async with aclosing(part):
                async for piece in part:
                    yield piece
        yield stream.end()

    async def _documents(self, stream: ZipStream, owner_id: UUID) -> Zipped:
        """The list comes after the files: it says which of them the store has lost."""
        with SpooledTemporaryFile(HELD_BYTES) as entries:
            after, separator = None, b""
            while True:
                async with self._uow.of(owner_id) as tx:
                    page = await tx.documents.page(owner_id, limit=AT_ONCE, after=after)
                for document in page.items:
                    path = f"{writing.folder_of(document)}/{_file_name(document)}"
                    found = False
                    async with aclosing(self._document(stream, document, path)) as pieces:
                        async for piece in pieces:
                            found = True
                            yield piece
                    entries.write(separator + writing.document(document, path if found else None))
                    separator = b",\n"
                    async with aclosing(self._texts(stream, document)) as pieces:
                        async for piece in pieces:
                            yield piece
                after = page.next_cursor
                if after is None:
                    break
            entries.seek(0)
            async with aclosing(stream.add("documents.json", writing.in_brackets(entries))) as pieces:
                async for piece in pieces:
                    yield piece

    async def _document(self, stream: ZipStream, document: Document, path: str) -> Zipped:
        """Add the original file; yield nothing if the store has lost it."""
        pieces = self._blobs.open(document.blob_key)
        try:
            first = await anext(pieces, b"")
        except BlobNotFoundError:
            return

        async def everything() -> AsyncIterator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        # Most formats are compressed already, and a file is to come out as it went in at the speed of the line.
        added = stream.add(path, everything(), size=document.size, compress=False, at=document.created_at)
        async with aclosing(added):
            async for piece in added:
                yield piece

    async def _texts(self, stream: ZipStream, document: Document) -> Zipped:
        """Add the texts that citations point into: of the version that answers, and of those before it."""
        live = document.live_version or document.version
        async with self._uow.of(document.owner_id) as tx:
            versions = await tx.texts.versions(document.owner_id, document.id)
        for version in versions:
            name = writing.TEXT if version == live else writing.EARLIER_TEXT.format(version=version)
            async with aclosing(self._text(stream, document, version, f"{writing.folder_of(document)}/{name}")) as pieces:
                async for piece in pieces:
                    yield piece

    async def _text(self, stream: ZipStream, document: Document, version: int, path: str) -> Zipped:
        first = await self._characters(document, version, 0)
        if first is None:
            return

        async def everything() -> AsyncIterator[bytes]:
            text: str | None = first
            start = 0
            while text:
                yield text.encode()
                start += len(text)
                text = await self._characters(document, version, start)

        async with aclosing(stream.add(path, everything())) as pieces:
            async for piece in pieces:
                yield piece

    async def _characters(self, document: Document, version: int, start: int) -> str | None:
        async with self._uow.of(document.owner_id) as tx:
            found = await tx.texts.slice(
                document.owner_id,
                document.id,
                version,
                start=start,
                end=start + CHARACTERS_AT_ONCE,
            )
        return None if found is None else found[0]

    async def _sessions(self, stream: ZipStream, owner_id: UUID) -> Zipped:
        async with self._uow.of(owner_id) as tx:
            ids = await tx.sessions.ids(owner_id)
        for session_id in ids:
            async with self._uow.of(owner_id) as tx:
                session = await tx.sessions.get(owner_id, session_id)
            if session is None:
                continue
            for form, write in transcripts.WRITERS.items():
                added = stream.add(f"sessions/{session.id}.{form}", write(session, transcripts.told(self._uow, session)))
                async with aclosing(added):
                    async for piece in added:
                        yield piece

    async def _tasks(self, owner_id: UUID) -> AsyncIterator[object]:
        after: Cursor | None = None
        while True:
            async with self._uow.of(owner_id) as tx:
                page = await tx.tasks.page(owner_id, limit=AT_ONCE, after=after)
            for task in page.items:
                yield writing.task(task)
            after = page.next_cursor
            if after is None:
                return

    async def _keys(self, owner_id: UUID) -> AsyncIterator[object]:
        after: Cursor | None = None
        while True:
            async with self._uow.of(owner_id) as tx:
                page = await tx.api_keys.page(owner_id, limit=AT_ONCE, after=after)
            for key in page.items:
                yield writing.key(key)
            after = page.next_cursor
            if after is None:
                return

    async def _sign_ins(self, owner_id: UUID) -> AsyncIterator[object]:
        async with self._uow.of(owner_id) as tx:
            found = await tx.sign_ins.of_owner(owner_id)
        for sign_in in found:
            yield writing.sign_in(sign_in)

    async def _usage(self, owner_id: UUID) -> AsyncIterator[object]:
        async with self._uow.of(owner_id) as tx:
            days = await tx.usage.days(owner_id, date.min)
        for day in days:
            yield day

    async def _events(self, owner_id: UUID) -> AsyncIterator[object]:
        after: Cursor | None = None
        while True:
            async with self._uow.system() as tx:
                page = await tx.audit.page(limit=AT_ONCE, after=after, kind=None, subject_id=owner_id)
            for event in page.items:
                yield writing.event(event, owner_id)
            after = page.next_cursor
            if after is None:
                return


def _file_name(document: Document) -> str:
    name = safe_name(document.filename)
    return f"original {name}" if TEXT_NAME.fullmatch(name) else name


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
