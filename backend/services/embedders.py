"""The embedders of an installation: one that new owners begin with, and every other that somebody's vectors were made by."""

from collections.abc import Callable
from uuid import UUID

from backend.core.ids import new_id
from backend.db.repositories.generations import Generation
from backend.db.uow import Transaction
from backend.ports.embedder import Embedder

PREFERRED = "embedder"
"""The setting that names the embedder which new owners begin with, and which a change of the model leads to."""


class Embedders:
    """Embedders by identity, made when they are first needed.

    ``make`` raises ``ConfigurationError`` for what this installation cannot serve. It may take a name for an identity, such as
    ``hashing`` for the present version of that embedder.
    """

    def __init__(self, make: Callable[[str], Embedder]) -> None:
        self._make = make
        self._made: dict[str, Embedder] = {}

    def named(self, identity: str) -> Embedder:
        """Return the embedder of this identity.

        Raises:
            ConfigurationError: This installation has none such.
        """
        if identity not in self._made:
            self._made[identity] = self._make(identity)
        return self._made[identity]

    def present(self, name: str) -> Embedder:
        """Return the embedder that a name stands for now: one that is no identity may stand for another than it did.

        Raises:
            ConfigurationError: This installation has none such.
        """
        if (made := self._made.get(name)) is not None and made.identity != name:
            del self._made[name]
        return self.named(name)

    async def of_owner(self, tx: Transaction, owner_id: UUID) -> tuple[Embedder, Generation | None]:
        """Return what the owner's documents are embedded with, and the generation that answers, if there is one yet.

        Raises:
            ConfigurationError: This installation has no such embedder.
        """
        generation = await tx.generations.ready(owner_id)
        identity = generation.embedder if generation else await tx.settings.get(PREFERRED)
        return self.named(identity), generation

    async def aclose(self) -> None:
        """Close them all."""
        for embedder in self._made.values():
            await embedder.aclose()
        self._made.clear()


def new_generation(owner_id: UUID) -> tuple[UUID, str]:
    """Return an id for a generation, and a name for its collection."""
    generation_id = new_id()
    return generation_id, collection_name(owner_id, generation_id)


def collection_name(owner_id: UUID, unique: UUID) -> str:
    """Name a collection. It is derived from the owner's id here, and never accepted from a client."""
    return f"docent-{owner_id.hex}-{unique.hex[-12:]}"
