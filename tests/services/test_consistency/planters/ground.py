"""Where defects are planted, and the register of those who plant."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from backend.core.values.defect import DefectKey, DefectKind
from backend.core.values.document import Document
from tests.services.test_consistency.scene import Scene


@dataclass(frozen=True, slots=True)
class Ground:
    """Where something is planted: an owner's document that nothing else happens to."""

    scene: Scene
    owner_id: UUID
    document: Document
    chance: random.Random

    async def sql(self, statement: str, *arguments: object) -> None:
        await self.scene.workshop.rows(statement, *arguments)

    async def chunk(self) -> UUID:
        return self.chance.choice(await self.scene.chunks(self.document))

    async def of_collection(self, *kinds: DefectKind) -> set[DefectKey]:
        return {(kind, self.owner_id, await self.scene.collection(self.owner_id)) for kind in kinds}

    def of_document(self, *kinds: DefectKind) -> set[DefectKey]:
        return {(kind, self.owner_id, str(self.document.id)) for kind in kinds}

    def of_owner(self, kind: DefectKind) -> set[DefectKey]:
        return {(kind, self.owner_id, str(self.owner_id))}


Planter = Callable[[Ground], Awaitable[set[DefectKey]]]
PLANTERS: dict[DefectKind, list[Planter]] = {}


def plants(kind: DefectKind) -> Callable[[Planter], Planter]:
    def noted(planter: Planter) -> Planter:
        PLANTERS.setdefault(kind, []).append(planter)
        return planter

    return noted


def by_sql(kind: DefectKind, *statements: str, also: tuple[DefectKind, ...] = ()) -> None:
    """Register planters that damage a document by one statement about its id, ``$1``."""
    for statement in statements:

        async def planter(ground: Ground, statement: str = statement) -> set[DefectKey]:
            await ground.sql(statement, ground.document.id)
            return ground.of_document(kind) | {key for other in also for key in ground.of_owner(other)}

        PLANTERS.setdefault(kind, []).append(planter)
