"""What accounts have used."""

from datetime import date
from uuid import UUID

from sqlalchemy import and_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.values.limits import DayTotals, DayUsage, Stored, Tier
from backend.db.repositories.rows import OWNER, Repository, columns, read
from backend.db.repositories.tiers import tier_of
from backend.models import DocumentRow, TierRow, UsageRow, UserRow

# A class of advisory locks of our own: the owner's id is hashed together with this word.
HOLD = text("select pg_advisory_xact_lock(hashtextextended('docent.storage:' || cast(:owner_id as text), 0))")

_COUNTED = ("questions", "prompt_tokens", "completion_tokens")
# Built once, for every turn needs them.
_INSERT = insert(UsageRow)
_ADD = _INSERT.on_conflict_do_update(
    index_elements=("owner_id", "day"), set_={name: getattr(UsageRow, name) + getattr(_INSERT.excluded, name) for name in _COUNTED}
)
_STANDING = (
    select(*columns(TierRow, Tier), *(getattr(UsageRow, name) for name in _COUNTED))
    .select_from(UserRow)
    .join(TierRow, UserRow.tier == TierRow.name)
    .outerjoin(UsageRow, and_(UsageRow.owner_id == OWNER, UsageRow.day == bindparam("today")))
    .where(UserRow.id == OWNER)
)


class UsageRepository(Repository):
    """Reads and writes ``usage``, and counts what an owner stores."""

    async def add(self, owner_id: UUID, day: date, *, questions: int, prompt_tokens: int, completion_tokens: int) -> None:
        """Add to a day. Concurrent additions all count."""
        used = {"questions": questions, "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
        await self._connection.execute(_ADD, {"owner_id": owner_id, "day": day, **used})

    async def of_day(self, owner_id: UUID, day: date) -> DayUsage:
        """Return what the owner has used on a day: zeros, if nothing."""
        statement = select(*columns(UsageRow, DayUsage)).where(UsageRow.owner_id == owner_id, UsageRow.day == day)
        row = (await self._connection.execute(statement)).one_or_none()
        return DayUsage(day, 0, 0, 0) if row is None else read(DayUsage, row)

    async def standing(self, owner_id: UUID, day: date) -> tuple[Tier, DayUsage] | None:
        """Return the tier that an account has at this moment, and what it has used on a day; ``None`` if it is gone."""
        row = (await self._connection.execute(_STANDING, {"owner": owner_id, "today": day})).one_or_none()
        return None if row is None else (tier_of(row), DayUsage(day, *(row._mapping[name] or 0 for name in _COUNTED)))

    async def days(self, owner_id: UUID, since: date) -> list[DayUsage]:
        """Return the owner's days from ``since`` on, newest first; days without use are left out."""
        statement = (
            select(*columns(UsageRow, DayUsage))
            .where(UsageRow.owner_id == owner_id, UsageRow.day >= since)
            .order_by(UsageRow.day.desc())
        )
        return [read(DayUsage, row) for row in await self._connection.execute(statement)]

    async def totals(self, since: date) -> list[DayTotals]:
        """Return the days of all accounts together from ``since`` on, newest first. Needs the system's view."""
        statement = (
            select(
                UsageRow.day,
                func.count().label("accounts"),
                func.sum(UsageRow.questions).label("questions"),
                func.sum(UsageRow.prompt_tokens).label("prompt_tokens"),
                func.sum(UsageRow.completion_tokens).label("completion_tokens"),
            )
            .where(UsageRow.day >= since)
            .group_by(UsageRow.day)
            .order_by(UsageRow.day.desc())
        )
        rows = await self._connection.execute(statement)
        return [DayTotals(row.day, *(int(number) for number in row[1:])) for row in rows]

    async def stored(self, owner_id: UUID) -> Stored:
        """Count the owner's documents that are not deleted, and the bytes of their files."""
        statement = select(func.count(), func.coalesce(func.sum(DocumentRow.size), 0)).where(
            DocumentRow.owner_id == owner_id, DocumentRow.deleted_at.is_(None)
        )
        documents, size = (await self._connection.execute(statement)).one()
        return Stored(documents, int(size))

    async def hold(self, owner_id: UUID) -> None:
        """Wait until no other transaction holds this owner's storage, then hold it until this one ends.

        Who inserts documents counts between this and the insert: two uploads at once then never both take the last place.
        """
        await self._connection.execute(HOLD, {"owner_id": str(owner_id)})
