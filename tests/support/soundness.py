"""What is always true of an owner's index, and what is true once all jobs are done."""

from uuid import UUID

from tests.support.two_models import ids_in
from tests.support.workshop import Workshop

DIFFERENCES = """
with live as (
  select c.* from chunks c join documents d on d.id = c.document_id and d.live_version = c.version where c.owner_id = $1
), counted as (
  select language, lexeme, frequency::int from lexemes where owner_id = $1
  union all select language, 'CHUNKS', chunks::int from corpus_sizes where owner_id = $1
  union all select language, 'LENGTH', total_length::int from corpus_sizes where owner_id = $1
), recounted as (
  select live.language, l.lexeme, count(*)::int as frequency from live cross join lateral unnest(live.tsv) l group by 1, 2
  union all select language, 'CHUNKS', count(*)::int from live group by language
  union all select language, 'LENGTH', sum(length)::int from live group by language
), misplaced as (
  select live.id::text, '' as text, live.ordinal from live left join document_texts t
      on t.document_id = live.document_id and t.version = live.version
   where substr(t.text, live.start_offset + 1, live.end_offset - live.start_offset) is distinct from live.text
)
select 'counted', * from (select * from counted except all select * from recounted)
union all select 'recounted', * from (select * from recounted except all select * from counted)
union all select 'misplaced', * from misplaced
"""
DEAD = (
    "select c.id from chunks c join documents d on d.id = c.document_id where c.owner_id = $1"
    " and (d.deleted_at is not null or d.live_version is distinct from c.version)"
)


async def assert_statistics(workshop: Workshop, owner_id: UUID) -> None:
    """Check that what BM25 counts with is what a recount gives, and that chunks are where they say in their text."""
    assert [tuple(row) for row in await workshop.rows(DIFFERENCES, owner_id)] == []


async def assert_settled(workshop: Workshop, owner_id: UUID) -> None:
    """Check, once all jobs are done, that nothing is there but what answers, and all of that: in PostgreSQL and in the index."""
    await assert_statistics(workshop, owner_id)
    assert await workshop.rows(DEAD, owner_id) == []
    generations = await workshop.rows("select * from index_generations where owner_id = $1", owner_id)
    for generation in generations:
        stored = await workshop.rows("select * from chunk_vectors where generation_id = $1", generation["id"])
        expected = {row["chunk_id"] for row in stored if row["vector"] is not None and row["indexed"]}
        assert await ids_in(workshop.index, generation["collection"]) == expected, generation["state"]
        if generation["state"] == "ready":
            chunks = await workshop.rows("select id from chunks where owner_id = $1", owner_id)
            assert {row["chunk_id"] for row in stored} == {row["id"] for row in chunks}
            assert all(row["indexed"] for row in stored)
