"""A life of the product without its API: everything that happens to documents happens, until a failpoint kills the process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from backend.bootstrap.application import Application, Replacements, open_application
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.core.values.document import Document
from tests.conftest import registered
from tests.support.files import a_file, long_text
from tests.support.invariants import Place, sound_within
from tests.support.parts import CountingEmbedder, PlainTextParser

FIRST, SECOND, OTHER = long_text(30), long_text(26, "planet"), long_text(8, "mountain")
OTHER_IDENTITY = "hashing/other"


class OtherEmbedder(CountingEmbedder):
    """Another model."""

    identity = OTHER_IDENTITY


class Journal:
    """What the clients of a life were told, in a file that outlives it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, what: str, about: UUID | None = None) -> None:
        with self._path.open("a") as file:
            file.write(f"{what} {about}\n")

    def told(self, what: str) -> list[str]:
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [line.split()[1] for line in lines if line.split()[0] == what]


@asynccontextmanager
async def lived(settings: dict[str, Any]) -> AsyncIterator[Application]:
    """Open the product with its worker at work, on parts that need no model and no child process."""
    parts = Replacements(parser=PlainTextParser(), embedder=CountingEmbedder(), other_embedders=(OtherEmbedder(),))
    async with (
        open_application(Settings(_env_file=None, **settings), replacing=parts) as application,
        application.worker.running(alone=True),
    ):
        yield application


def live(settings: str, place: Place, journal: Path) -> None:
    """Live, in a process of its own."""
    configure_logging("error", "json")
    asyncio.run(_live(json.loads(settings), place, Journal(journal)))


async def _live(settings: dict[str, Any], place: Place, journal: Journal) -> None:
    async with lived(settings) as application:
        documents, reindexing = application.services.documents, application.services.reindexing
        alice = await registered(application.services, "alice")

        async def accepted(document: Document) -> Document:
            journal.note("accepted", document.id)
            await sound_within(place, 30)
            return document

        first = await accepted(await documents.upload(alice, a_file("first.txt", FIRST)))
        await accepted(await documents.replace(alice, first.id, a_file("first.txt", SECOND)))
        other = await accepted(await documents.upload(alice, a_file("other.txt", OTHER)))
        journal.note("deleting", other.id)
        await documents.delete(alice, other.id)
        journal.note("deleted", other.id)
        await sound_within(place, 30)
        await place.hurry()
        await sound_within(place, 30)
        await reindexing.change(OTHER_IDENTITY)
        await sound_within(place, 30)
        await reindexing.rebuild()
        await sound_within(place, 30)
        journal.note("finished")
