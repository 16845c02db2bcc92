"""What a deleted account leaves behind: nothing."""

from uuid import UUID

import pytest

from backend.core.errors import TokenInvalidError
from backend.core.values.user import Caller, Origin
from backend.models import Base
from tests.support.workshop import Workshop

OWNED = [table.name for table in Base.metadata.sorted_tables if "owner_id" in table.columns]


async def rows_of(workshop: Workshop, owner_id: UUID) -> dict[str, int]:
    """Count the rows of an owner in every table that has one."""
    counts = {}
    for table in OWNED:
        found = await workshop.rows(f"select count(*) as n from {table} where owner_id = $1", owner_id)  # noqa: S608 - our own names
        counts[table] = found[0]["n"]
    return {table: count for table, count in counts.items() if count}


async def test_every_row_every_vector_and_every_file_goes_and_the_others_stay(workshop: Workshop) -> None:
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    caller = Caller(user_id=alice, role="user", tier="free", sign_in_id=alice)
    await workshop.services.keys.create(caller, name="k", scopes=["chat"], document_ids=None, expires_at=None, origin=Origin())
    before, files = await rows_of(workshop, bob), len(workshop.blobs())
    assert len(await rows_of(workshop, alice)) > 8

    await workshop.services.profile.delete(caller, password="correct horse", origin=Origin())
    with pytest.raises(TokenInvalidError):
        await workshop.services.profile.me(alice)
    for _ in range(2):  # Again is harmless.
        await workshop.services.purger.purge(alice)
    assert set(await rows_of(workshop, alice)) == {"documents"}
    for _ in range(2):
        await workshop.services.purger.purge_files(alice)

    assert await rows_of(workshop, alice) == {}
    assert await workshop.rows("select from users where id = $1", alice) == []
    assert await workshop.in_index(alice) == 0
    assert len(workshop.blobs()) == files - 1
    assert await rows_of(workshop, bob) == before
    assert await workshop.in_index(bob) > 0


async def test_an_account_that_is_not_deleted_is_never_purged(workshop: Workshop) -> None:
    alice = await workshop.furnished("alice")
    before = await rows_of(workshop, alice)

    await workshop.services.purger.purge(alice)
    await workshop.services.purger.purge_files(alice)

    assert await rows_of(workshop, alice) == before
    assert await workshop.in_index(alice) > 0


async def test_a_deleted_account_whose_job_got_lost_is_purged_all_the_same(workshop: Workshop) -> None:
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    caller = Caller(user_id=alice, role="user", tier="free", sign_in_id=alice)
    await workshop.services.profile.delete(caller, password="correct horse", origin=Origin())
    purges = "select args->>'owner_id' as owner from procrastinate_jobs where task_name = 'purge_account'"
    await workshop.rows("delete from procrastinate_jobs")
    await workshop.services.maintenance.reconcile()
    assert await workshop.rows(purges) == [], "a moment ago is not lost"

    await workshop.rows("update users set deleted_at = deleted_at - interval '2 minutes' where id = $1", alice)
    for _ in range(2):
        await workshop.services.maintenance.reconcile()
        assert [row["owner"] for row in await workshop.rows(purges)] == [str(alice)]
    assert await rows_of(workshop, bob)
