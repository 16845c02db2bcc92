"""Whatever is done with documents, in whatever order, the statistics stay true, and in the end nothing is left over."""

import random
from collections.abc import Awaitable, Callable

import pytest

from backend.core.errors import (
    DocentError,
    DocumentNotFoundError,
    DocumentStateError,
    DuplicateDocumentError,
    EmbedderUnavailableError,
    ParsingError,
)
from backend.core.values.document import Document
from tests.support.files import a_file
from tests.support.soundness import assert_settled, assert_statistics
from tests.support.two_models import do_all, do_next
from tests.support.workshop import Workshop

STEPS = 60
WORDS = ["krill", "whale", "ocean", "north", "south", "ice", "ship", "sail", "wind", "wave", "storm", "gull", "tide", "reef"]
REFUSED = (DocumentNotFoundError, DocumentStateError, DuplicateDocumentError)


class Crowd:
    """Somebody who does with documents whatever comes to mind."""

    def __init__(self, workshop: Workshop, seed: int) -> None:
        self.workshop, self.random = workshop, random.Random(seed)  # noqa: S311 - a walk that can be repeated
        self.documents: list[Document] = []
        self.number = 0

    def text(self) -> bytes:
        self.number += 1
        words = [self.random.choice(WORDS) for _ in range(self.random.randint(5, 500))]
        return f"Text {self.number}. {' '.join(words)}".encode()

    async def upload(self) -> None:
        self.documents.append(await self.workshop.uploaded(self.owner_id, self.text().decode()))

    async def replace(self) -> None:
        await self.workshop.services.documents.replace(self.owner_id, self.any().id, a_file("new.txt", self.text()))

    async def retry(self) -> None:
        await self.workshop.services.documents.retry(self.owner_id, self.any().id)

    async def cancel(self) -> None:
        await self.workshop.services.documents.cancel(self.owner_id, self.any().id)

    async def delete(self) -> None:
        await self.workshop.services.documents.delete(self.owner_id, self.any().id)

    async def work(self) -> None:
        await do_next(self.workshop)

    async def work_badly(self) -> None:
        """Do a job while something is amiss."""
        amiss = self.random.choice(["parser", "embedder", "crash", "index", "cancel"])
        workshop = self.workshop
        if amiss == "parser":
            workshop.parser.failure = ParsingError()
        elif amiss == "index":
            workshop.index.down = True
        elif amiss == "cancel":

            async def cancel(_: int) -> None:
                await self.cancel()

            workshop.embedder.before = cancel
        else:
            workshop.embedder.fail(EmbedderUnavailableError() if amiss == "embedder" else ZeroDivisionError("a defect"), at=2)
        try:
            await do_next(workshop)
        finally:
            workshop.embedder.mend()
            workshop.parser.failure, workshop.index.down = None, False

    def any(self) -> Document:
        return self.random.choice(self.documents)

    async def walk(self) -> None:
        self.owner_id = await self.workshop.user()
        await self.upload()
        steps: list[Callable[[], Awaitable[None]]] = [self.upload, self.replace, self.retry, self.cancel, self.delete]
        steps += [self.work] * 5 + [self.work_badly] * 3
        for _ in range(STEPS):
            try:
                await self.random.choice(steps)()
            except REFUSED:
                pass  # It is in no state for that.
            except (DocentError, ZeroDivisionError):
                pass  # The job comes again.
            await assert_statistics(self.workshop, self.owner_id)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_walk_at_random_leaves_true_statistics_after_every_step_and_nothing_dead_at_the_end(
    workshop: Workshop, seed: int
) -> None:
    crowd = Crowd(workshop, seed)
    await crowd.walk()

    await do_all(workshop)
    await workshop.services.maintenance.reconcile()
    await do_all(workshop)

    await assert_settled(workshop, crowd.owner_id)
    statuses = {(await workshop.services.documents.get(crowd.owner_id, row["id"])).status for row in await workshop.rows(
        "select id from documents where deleted_at is null")}  # fmt: skip
    assert statuses <= {"ready", "failed"}
