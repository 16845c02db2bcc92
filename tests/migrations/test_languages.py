"""The revision that brings languages, with rows in place: the release before finds everything as English, and so does this one."""

from pathlib import Path

from alembic.command import downgrade, upgrade

from tests.migrations.test_migrations import configured, run
from tests.migrations.test_versions import rows
from tests.support.cluster import Cluster, Database
from tests.support.soundness import assert_statistics
from tests.support.workshop import open_workshop

GERMAN = "Die Kündigungsfristen für Wohnungen betragen drei Monate zum Ende eines Quartals."
RECOUNTED = (
    "select count(*) from (select owner_id, lexeme, frequency from lexemes except"
    " select c.owner_id, l.lexeme, count(*) from chunks c cross join lateral unnest(to_tsvector('english', c.search_text)) l"
    "  group by 1, 2) x"
)


async def test_a_downgrade_makes_everything_english_and_an_upgrade_leaves_it_so(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    async with open_workshop(cluster, database, tmp_path) as workshop:
        alice = await workshop.user()
        await workshop.indexed(alice, GERMAN)
        await workshop.indexed(alice, "東京タワーは東京都港区にある電波塔である。")
        assert len(await workshop.rows("select from corpus_sizes")) == 2

    await run(database.owner_url, lambda connection: downgrade(configured(connection), "0005"))
    assert [row[0] for row in await rows(database, RECOUNTED)] == [0]
    assert [row[0] for row in await rows(database, "select chunks from corpus_sizes")] == [2]
    await run(database.owner_url, lambda connection: upgrade(configured(connection), "head"))

    async with open_workshop(cluster, database, tmp_path) as workshop:
        await assert_statistics(workshop, alice)
        found = await workshop.rows("select c.language, d.language as told from chunks c join documents d on d.id = c.document_id")
        assert [tuple(row) for row in found] == [("english", None)] * 2
        passages = (await workshop.retriever.retrieve(alice, "Kündigungsfristen für Wohnungen", within=None)).passages
        assert [passage.text for passage in passages] == [GERMAN]
