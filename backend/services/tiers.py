"""What the tiers allow."""

from collections.abc import Mapping, Sequence

from backend.core.errors import TierNotFoundError
from backend.core.values.limits import Tier
from backend.core.values.user import Caller, Origin
from backend.core.values.user import Tier as TierName
from backend.db.uow import UnitOfWork


class TierService:
    """Reads and changes tiers. Routes let administrators in only; every change is in the audit log."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def all(self) -> Sequence[Tier]:
        """Return every tier, the smallest first."""
        async with self._uow.system() as tx:
            return await tx.tiers.all()

    async def change(
        self, caller: Caller, name: TierName, changes: Mapping[str, int | Sequence[str] | None], *, origin: Origin
    ) -> Tier:
        """Change the named fields of a tier, for all of its accounts. Rates count within seconds, the rest at once.

        Raises:
            TierNotFoundError: Somebody has taken it out of the database.
        """
        async with self._uow.system() as tx:
            tier = await (tx.tiers.update(name, **changes) if changes else tx.tiers.get(name))
            if tier is None:
                raise TierNotFoundError
            if changes:
                await tx.audit.note("tier_changed", actor_id=caller.user_id, subject_id=None, origin=origin, tier=name, **changes)
        return tier
