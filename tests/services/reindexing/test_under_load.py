"""The model is changed while people ask, upload, replace and delete: no question fails, and none meets two models at once."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from backend.core.values.document import Document
from tests.support.files import a_file, long_text
from tests.support.soundness import assert_settled
from tests.support.two_models import TwoModels, do_all

TEXT = long_text(20).decode()


@dataclass(slots=True)
class Person:
    """Somebody who asks without a pause, and whose documents come and go."""

    models: TwoModels
    owner_id: UUID
    kept: Document
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    async def ask(self, over: asyncio.Event) -> None:
        while not over.is_set():
            question = f"How many grams does subject {self.asked % 20 + 1} weigh?"
            try:
                found = await self.models.workshop.retriever.retrieve(self.owner_id, question, within=None)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                self.failures.append(f"{question}: {error!r}")
            else:
                best = [passage.text for passage in found.passages if passage.document_id == self.kept.id]
                if found.degraded or not any(f"subject {self.asked % 20 + 1} " in text for text in best):
                    self.failures.append(f"{question}: {found.degraded} {best[:1]}")
            self.asked += 1
            await asyncio.sleep(0.01)

    async def edit(self) -> None:
        documents = self.models.workshop.services.documents
        new = await self.models.workshop.uploaded(self.owner_id, f"{self.owner_id}: an aside about krill.")
        await documents.index(self.owner_id, new.id)
        aside = a_file("aside.txt", f"{self.owner_id}: another aside about plankton.".encode())
        await documents.replace(self.owner_id, new.id, aside)
        await documents.index(self.owner_id, new.id)
        await documents.delete(self.owner_id, new.id)
        await self.models.workshop.uploaded(self.owner_id, f"{self.owner_id}: and {new.id} is gone.")


async def test_a_change_under_questions_and_edits_fails_none_and_mixes_none(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    people = []
    for name in ("alice", "bob", "carol"):
        owner_id = await workshop.user(name)
        people.append(Person(models, owner_id, await workshop.indexed(owner_id, f"{name}.\n\n{TEXT}")))
    await do_all(workshop)
    over = asyncio.Event()
    asking = [asyncio.create_task(person.ask(over)) for person in people]
    await asyncio.sleep(0.2)

    await workshop.services.reindexing.change(small.identity)
    await asyncio.gather(do_all(workshop), *(person.edit() for person in people))
    await do_all(workshop)
    over.set()
    await asyncio.gather(*asking)

    assert [failure for person in people for failure in person.failures] == []
    assert min(person.asked for person in people) >= 5
    state = await workshop.services.reindexing.state()
    assert (state.owners, state.switched, state.chunks_missing) == (3, 3, 0)
    await workshop.services.maintenance.reconcile()
    await do_all(workshop)
    for person in people:
        await assert_settled(workshop, person.owner_id)
