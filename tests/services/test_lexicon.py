"""The statistics behind BM25 are those of the ready chunks, whatever happened before."""

import random
from uuid import UUID

from backend.core.values.document import Document
from tests.support.workshop import Workshop

STORED = "select lexeme, frequency::bigint as frequency from lexemes where owner_id = $1 order by lexeme"
COUNTED = """
select u.lexeme, count(*) as frequency from chunks c join documents d on d.id = c.document_id cross join lateral unnest(c.tsv) u
 where c.owner_id = $1 and d.status = 'ready' group by u.lexeme order by u.lexeme
"""
SIZE = "select coalesce(sum(chunks), 0), coalesce(sum(total_length), 0) from corpus_sizes where owner_id = $1"
MEASURED = """
select count(*) as chunks, coalesce(sum((select sum(cardinality(u.positions)) from unnest(c.tsv) u)), 0)::bigint as total_length
  from chunks c join documents d on d.id = c.document_id where c.owner_id = $1 and d.status = 'ready'
"""
WORDS = (
    *("whale", "krill", "ocean", "sings", "Weighs", "deepest", "blue", "migrations", "the", "of", "and"),
    *("parseJSONBody", "naïve", "3,600", "état", "x-ray"),
)


async def assert_counts_are_exact(workshop: Workshop, owner_id: UUID) -> None:
    assert await workshop.rows(STORED, owner_id) == await workshop.rows(COUNTED, owner_id)
    size, measured = await workshop.rows(SIZE, owner_id), await workshop.rows(MEASURED, owner_id)
    assert [tuple(row) for row in size] == [tuple(row) for row in measured]


async def test_counts_equal_a_recount_after_any_sequence_of_adding_deleting_and_adding_again(workshop: Workshop) -> None:
    chance = random.Random(20261122)  # noqa: S311 - a repeatable sequence, not a secret
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    texts = {owner: [" ".join(chance.choices(WORDS, k=chance.randint(3, 400))) for _ in range(5)] for owner in (alice, bob)}
    present: dict[tuple[UUID, str], Document] = {}
    for step in range(24):
        owner = chance.choice((alice, bob))
        key = owner, chance.choice(texts[owner])
        if (document := present.pop(key, None)) is not None:
            await workshop.services.documents.delete(owner, document.id)
            for _ in range(chance.choice((1, 2))):  # A job that comes again changes nothing.
                await workshop.services.documents.purge(owner, document.id)
        else:
            present[key] = await workshop.indexed(*key)
            await workshop.services.documents.index(owner, present[key].id)
        if step % 6 == 5:
            await assert_counts_are_exact(workshop, alice)
            await assert_counts_are_exact(workshop, bob)
    for (owner, _), document in present.items():
        await workshop.services.documents.delete(owner, document.id)
        await workshop.services.documents.purge(owner, document.id)
    assert await workshop.rows("select * from lexemes") == []
    assert await workshop.rows("select * from corpus_sizes") == []
