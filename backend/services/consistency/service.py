"""Comparing everything with everything, and mending what disagrees."""

import asyncio
from collections.abc import AsyncIterator, Sequence, Set
from functools import partial
from time import monotonic
from uuid import UUID

from backend.core.errors import UnavailableError, UserNotFoundError
from backend.core.values.defect import Compared, Defect
from backend.db.repositories.consistency import Owner
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.vector_index import VectorIndex
from backend.services.consistency.files import FileExaminer
from backend.services.consistency.looking import Look, seen_twice
from backend.services.consistency.mending import Mender
from backend.services.consistency.passages import PassageExaminer
from backend.services.consistency.rereading import Rereader
from backend.services.consistency.vectors import VectorExaminer
from backend.services.embedders import Embedders
from backend.services.indexing.generations import GenerationBuilder
from backend.services.indexing.pipeline import IndexingPipeline

OWNERS_AT_ONCE = 200
MOST_ROUNDS = 10
"""Mending one defect may bring another to light. It ends sooner, as soon as a round changes nothing."""
GLANCE_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 300
STARTING_SECONDS = 20


class ConsistencyService:
    """Finds defects beside a running instance, in bounded memory, and mends them.

    ``sole`` says that no other installation uses the same vector index. A defect is looked at twice, ``pause_seconds`` apart, for
    what a worker is just doing is none.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        index: VectorIndex,
        embedders: Embedders,
        *,
        builder: GenerationBuilder,
        pipeline: IndexingPipeline,
        sole: bool,
        pause_seconds: float = 1.0,
    ) -> None:
        self._uow = uow
        self._index = index
        self.pause_seconds = pause_seconds
        self._passages = PassageExaminer(uow, embedders)
        self._vectors = VectorExaminer(uow, index, sole=sole)
        self._files = FileExaminer(uow, blobs)
        rereader = Rereader(uow, self._files)
        self._mender = Mender(uow, blobs, index, embedders, builder=builder, pipeline=pipeline, rereader=rereader)

    async def check(self, compared: Compared, *, username: str | None = None, deep: bool = False) -> AsyncIterator[Defect]:
        """Yield what is wrong: of one account, or of all, and then what belongs to nobody. ``compared`` is counted up meanwhile.

        ``deep`` reads every stored file; without it their sizes are compared.

        Raises:
            UserNotFoundError: There is no account of this name.
            UnavailableError: A part of the system is away, so it cannot be compared.
        """
        await self._index_there()
        owner_id: UUID | None = None
        async for owner in self._owners(username):
            compared.owners += 1
            owner_id = owner.id
            for defect in await self._twice([partial(self._of_owner, owner), *self._looks(owner)], compared):
                yield defect
        if username is None:
            owner_id = None
        elif owner_id is None:
            raise UserNotFoundError
        looks: list[Look] = [
            lambda counted: self._files.documents(owner_id, counted, deep=deep),
            lambda _: self._vectors.orphans(owner_id),
        ]
        if username is None:
            looks.append(lambda _: self._files.orphans())
        for defect in await self._twice(looks, compared):
            yield defect

    async def name_of(self, owner_id: UUID) -> str:
        """Return the name of an account, for people; its id where it is gone."""
        async with self._uow.of(owner_id) as tx:
            user = await tx.users.get(owner_id)
        return str(owner_id) if user is None else user.username

    async def repair(self, defects: Sequence[Defect], *, username: str | None = None, deep: bool = False) -> list[Defect]:
        """Mend what a check found until nothing is left, or nothing changes any more; return what is left.

        Much of it is the work of jobs, which are waited for: somebody has to run them, a worker here or elsewhere.

        Raises:
            UnavailableError: A part of the system is away. What is mended by then stays so.
        """
        left = list(defects)
        for _ in range(MOST_ROUNDS):
            await self._mender.mend(left)
            await self._jobs_done({defect.owner_id for defect in left if defect.owner_id is not None})
            found = [defect async for defect in self.check(Compared(), username=username, deep=deep)]
            if not found or found == left:
                return found
            left = found
        return left

    async def _jobs_done(self, owner_ids: Set[UUID]) -> None:
        """Wait for the jobs of these owners that are queued by now, but not for those that wait for something themselves."""
        async with self._uow.system() as tx:
            newest = await tx.stored.newest_job()
        over = monotonic() + LONGEST_WAIT_SECONDS
        while monotonic() < over:
            async with self._uow.system() as tx:
                if not await tx.stored.queued(list(owner_ids), newest=newest):
                    return
            await asyncio.sleep(GLANCE_SECONDS)

    async def _index_there(self) -> None:
        """Wait for an index that is just starting."""
        over = monotonic() + STARTING_SECONDS
        while True:
            try:
                return await self._index.check()
            except UnavailableError:
                if monotonic() > over:
                    raise
            await asyncio.sleep(GLANCE_SECONDS)

    async def _twice(self, looks: Sequence[Look], compared: Compared) -> list[Defect]:
        return await seen_twice(looks, compared, pause_seconds=self.pause_seconds)

    async def _owners(self, username: str | None) -> AsyncIterator[Owner]:
        after: UUID | None = None
        while True:
            async with self._uow.system() as tx:
                owners = await tx.consistency.owners(after=after, limit=OWNERS_AT_ONCE, username=username)
            if not owners:
                return
            after = owners[-1].id
            for owner in owners:
                yield owner

    def _looks(self, owner: Owner) -> list[Look]:
        """What is looked at of an account that is not deleted: of one that is, everything is on its way out."""
        if owner.deleted:
            return []
        return [
            lambda _: self._passages.rows(owner.id),
            lambda counted: self._passages.texts(owner.id, counted),
            lambda counted: self._vectors.look(owner.id, counted),
        ]

    async def _of_owner(self, owner: Owner, _: Compared) -> AsyncIterator[Defect]:
        async with self._uow.system() as tx:
            left = await tx.consistency.is_left_over(owner.id)
        if left:
            yield Defect("account_left", owner.id, str(owner.id))
