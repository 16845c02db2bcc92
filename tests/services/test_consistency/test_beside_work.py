"""Nothing that is in flight is a defect, and nothing that was deleted leaves a trace."""

import asyncio
import random
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from backend.core.errors import DocentError
from backend.core.values.user import Caller, Origin
from backend.models import Base
from tests.services.test_consistency.scene import Scene
from tests.support.files import a_file, long_text

MARKER = "zyzzogeton"
CHECKS = 5


async def keep_busy(scene: Scene, owner_id: UUID, stop: asyncio.Event) -> int:
    """Upload, replace and delete until told to stop; return how often."""
    documents, chance, done = scene.workshop.services.documents, random.Random(owner_id.int), 0  # noqa: S311 - a repeatable choice
    present: list[UUID] = []
    while not stop.is_set():
        done += 1
        data = long_text(chance.randint(1, 12), f"busy{done}")
        try:
            if len(present) < 3 or chance.random() < 0.3:
                present.append((await documents.upload(owner_id, a_file(f"{done}.txt", data))).id)
            elif chance.random() < 0.5:
                await documents.replace(owner_id, chance.choice(present), a_file(f"{done}.txt", data))
            else:
                await documents.delete(owner_id, present.pop(chance.randrange(len(present))))
        except DocentError as error:
            raise AssertionError(error.message) from error
        await asyncio.sleep(0.05)
    return done


async def test_a_check_beside_a_busy_worker_finds_nothing(scene: Scene) -> None:
    stop = asyncio.Event()
    async with scene.working():
        busy = [asyncio.create_task(keep_busy(scene, owner_id, stop)) for owner_id in scene.healthy]
        for _ in range(CHECKS):
            await asyncio.sleep(0.3)
            assert await scene.defects(deep=True) == []
        stop.set()
        assert min(await asyncio.gather(*busy)) > CHECKS


async def traces(scene: Scene) -> list[str]:
    """Return where the marker is found: tables and files."""
    found = []
    tables = [table.name for table in Base.metadata.sorted_tables] + ["procrastinate_jobs"]
    for table in tables:
        rows = await scene.workshop.rows(f"select 1 from {table} t where to_jsonb(t)::text ilike $1", f"%{MARKER}%")  # noqa: S608 - ours
        found += [table] * bool(rows)
    return found + [str(path) for path in scene.workshop.blobs() if MARKER.encode() in path.read_bytes()]


async def finished(scene: Scene) -> None:
    """Let all jobs be done, those of later too."""
    async with scene.working(), asyncio.timeout(60):
        while await scene.workshop.rows("select from procrastinate_jobs where args ? 'owner_id' or task_name = 'drop_collection'"):
            await scene.workshop.rows("update procrastinate_jobs set scheduled_at = null where scheduled_at > now()")
            await asyncio.sleep(0.1)


async def test_what_was_deleted_is_nowhere(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")  # What was configured before, by whichever test, must not hide a line.
    with capture_logs() as ours:
        services = scene.workshop.services
        before = await scene.content()
        owner_id = await scene.workshop.furnished("dora")
        secret = f"The {MARKER} eats krill. "
        document = await scene.workshop.indexed(owner_id, secret * 30, filename=f"{MARKER}.txt")
        session = await services.sessions.create(owner_id, title=MARKER, document_ids=None)
        assert len(await traces(scene)) >= 5

        await services.sessions.delete(owner_id, session.id)
        await services.documents.delete(owner_id, document.id)
        await finished(scene)
        assert await scene.keys(deep=True) == set()
        assert await traces(scene) == []

        leaving = await scene.workshop.furnished(MARKER)
        last = await scene.workshop.indexed(leaving, secret * 20, filename=f"{MARKER}.txt")
        collection, file = await scene.collection(leaving), await scene.file(last)
        await services.profile.delete(
            Caller(leaving, "user", "free", sign_in_id=leaving), password="correct horse", origin=Origin()
        )
        await finished(scene)

        assert await scene.keys(deep=True) == set()
        assert await traces(scene) == []
        assert collection not in await scene.workshop.index.collections()
        assert not file.exists()
        assert await scene.content() == before

    said = f"{ours}{caplog.text}"
    assert str(last.id) in said
    assert MARKER not in said


async def test_a_deletion_that_stopped_half_way_and_comes_again_is_no_defect(scene: Scene) -> None:
    owner_id = await scene.workshop.user("eve")
    document = await scene.document(owner_id)
    collection, chunks = await scene.collection(owner_id), await scene.chunks(document)

    await scene.workshop.services.documents.delete(owner_id, document.id)
    await scene.workshop.index.delete(collection, chunks)

    assert await scene.keys(deep=True) == set()
    await finished(scene)
    assert await scene.keys(deep=True) == set()
