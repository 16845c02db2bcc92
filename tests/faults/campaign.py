"""Kills at random moments while people upload, replace and delete, and what has to be true afterwards."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from tests.faults.crashes import kill_below, report
from tests.faults.people import Person, a_shelf
from tests.support.chroma import free_port
from tests.support.files import long_text
from tests.support.invariants import Place, sound_within
from tests.support.ollama import StandInOllama
from tests.support.product import Account, Product, running_product

RECOVERY_SECONDS = 30
PEOPLE = 3
VICTIMS = ("the server", "PostgreSQL", "Chroma")
COMMANDS = {"PostgreSQL": "postgres -D", "Chroma": "chroma run"}
WRITING = ("/api/v1/chat/documents/{document_id}/file", "put")


class Campaign:
    """A product with a data folder, people who use it, and somebody who kills."""

    def __init__(self, folder: Path, seed: int, ollama: StandInOllama) -> None:
        self.data = folder / "data"
        self.chance = random.Random(seed)  # noqa: S311 - a seed that can be given again is the point
        self.ollama = ollama
        self.shelf = a_shelf()
        self.recoveries: list[float] = []
        self._settings: dict[str, Any] = {
            "chat_provider": "extractive",
            "embedder": "ollama",
            "ollama_url": ollama.url,
            "port": free_port(),
        }
        self._running = AsyncExitStack()
        self.product: Product

    async def start(self) -> None:
        """Start the product, again on what is there."""
        begun = monotonic()
        self.product = await self._running.enter_async_context(running_product(self.data, **self._settings))
        self.recoveries.append(monotonic() - begun)

    async def stop(self) -> None:
        """Stop the product as an operator would, if it is running."""
        await self._running.aclose()

    @property
    def place(self) -> Place:
        """Where the product keeps what it has."""
        instance = json.loads((self.data / "instance.json").read_text())
        return Place(instance["app_url"], instance["chroma_url"], self.data / "files")

    @property
    def embedded(self) -> int:
        """How many texts were embedded until now."""
        return sum(len(request.json["input"]) for request in self.ollama.requests if request.path == "/api/embed")

    async def kill(self, victim: str) -> None:
        """Kill -9 one of the processes; who starts the server is this campaign, and the others are the server's business."""
        if victim == "the server":
            await self.product.kill()
            await self.stop()
            await self.start()
            return
        deadline = monotonic() + 10
        while not kill_below(self.product.process.pid, lambda line: COMMANDS[victim] in line and "postgres:" not in line):
            assert monotonic() < deadline, f"{victim} does not come back"
            await asyncio.sleep(0.05)

    async def run(self, kills: int) -> None:
        """Let people work while this many kills strike at random moments, in turn, and check that nothing is lost."""
        victims: Iterator[str] = cycle(VICTIMS)
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(self._person(number)) for number in range(PEOPLE)]
            work = [asyncio.create_task(person.live()) for person in people]
            for number in range(kills):
                await asyncio.sleep(self.chance.uniform(0.1, 2.0))
                victim = next(victims)
                await self.kill(victim)
                report(f"kill {number + 1}: {victim}")
            for task in work:
                task.cancel()
            await asyncio.wait(work)
            assert [task for task in work if not task.cancelled()] == []
            # The bytes of an upload that a kill cut off before its row was written are nobody's, and `docent check` sweeps them.
            orphans = await self._orphans()
            took = await sound_within(self.place, RECOVERY_SECONDS, orphans=orphans)
            await self._check(people)
            promised, gone = sum(len(person.promised) for person in people), sum(len(person.gone) for person in people)
            report(
                f"{kills} kills, {promised} documents accepted, {gone} deleted; all well {took:.1f} s after the last kill;"
                f" {len(orphans)} files of nobody; the slowest start {max(self.recoveries):.1f} s"
            )

    async def _orphans(self) -> set[str]:
        named: set[str] = set()
        deadline = monotonic() + RECOVERY_SECONDS
        while monotonic() < deadline:
            try:
                rows = await self.place.rows(
                    "select blob_key from documents union"
                    " select args->>'blob_key' from procrastinate_jobs where task_name = 'discard_file' and status <> 'succeeded'"
                )
                named = {row["blob_key"] for row in rows}
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
        return self.place.stored() - named

    async def _check(self, people: list[Person]) -> None:
        async with self._person(PEOPLE) as undisturbed:
            for filename, data in self.shelf:
                (await undisturbed.account.upload(filename, data)).raise_for_status()
            await sound_within(self.place, RECOVERY_SECONDS, orphans=self.place.stored())
            expected = await self._texts(undisturbed)
        for person in people:
            found = await self._texts(person)
            assert person.promised - person.asked_to_go <= found.keys(), "accepted, and lost"
            assert not person.gone & found.keys(), "deleted, and back"
            by_file = {sha256: chunks for status, sha256, chunks in expected.values() if status == "ready"}
            for status, sha256, chunks in found.values():
                assert status == "failed" or chunks == by_file[sha256]
            failed = [status for status, _, _ in found.values() if status == "failed"]
            assert len(failed) <= 1, "a document is given up after three kills in a row, and there were not so many"

    async def _texts(self, person: Person) -> dict[str, Any]:
        rows = await self.place.rows(
            "select d.id, d.status, d.sha256 from documents d join users u on u.id = d.owner_id"
            " where u.username = $1 and d.deleted_at is null",
            person.account.username,
        )
        return {str(row["id"]): (row["status"], row["sha256"], await self.place.chunks(row["id"])) for row in rows}

    @asynccontextmanager
    async def _person(self, number: int) -> AsyncIterator[Person]:
        async with self.product.account(f"person-{number}") as account:
            path, method = WRITING
            paths = (await account.client.get("/openapi.json")).json()["paths"]
            chance = random.Random(self.chance.random())  # noqa: S311 - as above
            yield Person(account, chance, self.shelf, replaces=method in paths.get(path, {}))

    async def break_the_index(self, paragraphs: int) -> None:
        """Cut a file of Chroma's in half while nobody looks: it is filled again from PostgreSQL, and nothing is embedded."""
        async with self.product.account("reader") as account:
            document = (await account.upload("large.md", long_text(paragraphs))).json()
            settled = await account.settled(document["id"], within=300)
            assert settled["status"] == "ready"
            await sound_within(self.place, RECOVERY_SECONDS, orphans=self.place.stored())
            before = await self._quotes(account)
            await self.stop()
            large = max(self.data.glob("chroma/*/data_level0.bin"), key=lambda path: path.stat().st_size)
            with large.open("r+b") as file:
                file.truncate(large.stat().st_size // 2)
            embedded = self.embedded
            begun = monotonic()
            await self.start()
            assert (await self._quotes(account))[:1] == before[:1], "exact search answers meanwhile"
            answering = monotonic() - begun
            await sound_within(self.place, RECOVERY_SECONDS, orphans=self.place.stored())
            took = monotonic() - begun
            (row,) = await self.place.rows("select count(*) as vectors from chunk_vectors")
            assert (await self._quotes(account))[:1] == before[:1], "neighbours that are as near as each other may change places"
            assert self.embedded - embedded <= 1, "nothing but the question was embedded"
            report(
                f"a broken index of {row['vectors']} vectors: answers {answering:.1f} s and whole {took:.1f} s after the start"
                f" began, {(took - answering) / row['vectors'] * 10_000:.1f} s for 10,000 chunks beyond that"
            )

    async def _quotes(self, account: Account) -> list[str]:
        answer = await account.ask("How many grams does subject 1234 weigh?")
        return [source["quote"] for source in answer.raise_for_status().json()["sources"]]


@asynccontextmanager
async def a_campaign(folder: Path, seed: int) -> AsyncIterator[Campaign]:
    """Start a product for a campaign, and stop it at the end."""
    async with StandInOllama() as ollama:
        campaign = Campaign(folder, seed, ollama)
        await campaign.start()
        try:
            yield campaign
        finally:
            await campaign.stop()
