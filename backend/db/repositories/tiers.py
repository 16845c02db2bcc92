"""Tiers: what accounts may use."""

from collections.abc import Sequence
from dataclasses import fields
from uuid import UUID

from sqlalchemy import bindparam, select, update

from backend.core.values.limits import Tier
from backend.core.values.user import Tier as TierName
from backend.db.repositories.rows import AnyRow, Repository, columns
from backend.models import TierRow, UserRow

# Every question asks this: it is put together once.
OF_OWNER = select(*columns(TierRow, Tier)).join(UserRow, UserRow.tier == TierRow.name).where(UserRow.id == bindparam("owner_id"))


class TierRepository(Repository):
    """Reads and writes ``tiers``, which belong to nobody."""

    async def get(self, name: TierName) -> Tier | None:
        """Return a tier."""
        row = (await self._connection.execute(select(*columns(TierRow, Tier)).where(TierRow.name == name))).one_or_none()
        return None if row is None else tier_of(row)

    async def all(self) -> list[Tier]:
        """Return every tier, the smallest first."""
        statement = select(*columns(TierRow, Tier)).order_by(TierRow.requests_per_minute, TierRow.name)
        return [tier_of(row) for row in await self._connection.execute(statement)]

    async def of_owner(self, owner_id: UUID) -> Tier | None:
        """Return the tier that an account has at this moment."""
        row = (await self._connection.execute(OF_OWNER, {"owner_id": owner_id})).one_or_none()
        return None if row is None else tier_of(row)

    async def update(self, name: TierName, **limits: int | Sequence[str] | None) -> Tier | None:
        """Change what is given. Processes keep what they have read for some seconds."""
        statement = update(TierRow).where(TierRow.name == name).values(**limits).returning(*columns(TierRow, Tier))
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else tier_of(row)


def tier_of(row: AnyRow) -> Tier:
    """Return a row as a tier; it may hold more."""
    found = {field.name: row._mapping[field.name] for field in fields(Tier)}
    return Tier(**{**found, "models": None if row.models is None else tuple(row.models)})
