"""Thousands of collections are verified in turn."""

from tests.support.files import long_text
from tests.support.two_models import TwoModels, do_all

COLLECTIONS = "select collection from index_generations where state = 'ready'"
WANTED = "select count(*) from procrastinate_jobs where task_name = 'rebuild_collection' and status = 'todo'"


async def test_what_one_look_has_no_time_for_the_next_ones_see(models: TwoModels) -> None:
    workshop = models.workshop
    for _ in range(3):
        await workshop.indexed(await workshop.user(), long_text(3).decode())
    await do_all(workshop)
    for found in await workshop.rows(COLLECTIONS):
        await workshop.index.drop(found["collection"])

    wanted = []
    for _ in range(4):
        assert await workshop.services.reindexing.verify_index(seconds=0)
        wanted.append((await workshop.rows(WANTED))[0]["count"])

    assert wanted == [1, 2, 3, 3]
