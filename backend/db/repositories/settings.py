"""Remembered choices."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from backend.db.repositories.rows import Repository
from backend.models import SettingRow


class SettingRepository(Repository):
    """Reads and writes ``settings``."""

    async def get(self, key: str, *, hold: bool = False) -> Any:  # noqa: ANN401 - whatever JSON was stored
        """Return the value, or ``None``; with ``hold`` nobody changes it until the transaction ends."""
        statement = select(SettingRow.value).where(SettingRow.key == key)
        if hold:
            statement = statement.with_for_update(read=True)
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def remember(self, key: str, value: object) -> Any:  # noqa: ANN401 - whatever JSON was stored
        """Store the value unless there is one, and return the one that stands: the first of several processes wins."""
        await self._connection.execute(insert(SettingRow).values(key=key, value=value).on_conflict_do_nothing())
        return await self.get(key)

    async def replace(self, key: str, value: object) -> None:
        """Store the value, whatever there was."""
        statement = insert(SettingRow).values(key=key, value=value)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"value": value, "updated_at": func.now()})
        )
