"""BM25 in SQL: the statistics of an owner's corpus, and the lexical leg of retrieval."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from backend.db.repositories.rows import Repository

# One after the other for an owner: a new version counts out and in, and two passes over the lexemes cannot both be in order.
LOCK = text("select pg_advisory_xact_lock(hashtextextended(cast(cast(:owner_id as uuid) as text), 20261122))")

# Lexemes are counted in sorted order, so that two documents of one owner never deadlock on them.
COUNT = text(
    "insert into lexemes (owner_id, lexeme, frequency)"
    " select :owner_id, l.lexeme, count(*) from chunks c cross join lateral unnest(c.tsv) l"
    "  where c.owner_id = :owner_id and c.document_id = :document_id and c.version = :version"
    "  group by l.lexeme order by l.lexeme"
    " on conflict (owner_id, lexeme) do update set frequency = lexemes.frequency + excluded.frequency"
)
DISCOUNT = text(
    "with gone as (select l.lexeme, count(*) as n from chunks c cross join lateral unnest(c.tsv) l"
    "  where c.owner_id = :owner_id and c.document_id = :document_id and c.version = :version group by l.lexeme),"
    " held as (select x.lexeme from lexemes x where x.owner_id = :owner_id and x.lexeme in (select lexeme from gone)"
    "  order by x.lexeme for update)"
    " update lexemes x set frequency = greatest(x.frequency - gone.n, 0) from gone"
    "  where x.owner_id = :owner_id and x.lexeme = gone.lexeme and x.lexeme in (select lexeme from held)"
)
FORGET = text("delete from lexemes where owner_id = :owner_id and frequency = 0")
RESIZE = text(
    "insert into corpus_sizes (owner_id, chunks, total_length)"
    " select :owner_id, :sign * count(*), :sign * coalesce(sum(length), 0) from chunks"
    "  where owner_id = :owner_id and document_id = :document_id and version = :version"
    " on conflict (owner_id) do update set chunks = greatest(corpus_sizes.chunks + excluded.chunks, 0),"
    "   total_length = greatest(corpus_sizes.total_length + excluded.total_length, 0)"
)

# Two stages: candidates by an OR of the six rarest lexemes through the GIN index, then BM25 (k1 1.2, b 0.75) over those.
# A lexeme that no chunk has counts in the total, so `share` says how much of the question's weight was found.
SEARCH = text("""
with asked as (
  select distinct u.lexeme from unnest(to_tsvector(cast(:language as regconfig), :question)) u
), size as (
  select chunks::float8 as n, greatest(total_length::float8 / nullif(chunks, 0), 1) as mean
    from corpus_sizes where owner_id = :owner_id and chunks > 0
), terms as (
  select a.lexeme, coalesce(x.frequency, 0) as frequency,
         ln(1 + (s.n - least(coalesce(x.frequency, 0), s.n) + 0.5) / (least(coalesce(x.frequency, 0), s.n) + 0.5)) as idf
    from asked a cross join size s left join lexemes x on x.owner_id = :owner_id and x.lexeme = a.lexeme
), known as (
  select lexeme, idf, row_number() over (order by frequency, lexeme) as rarity from terms where frequency > 0
  order by frequency, lexeme limit 16
), wanted as (
  select string_agg(quote_literal(lexeme), ' | ')::tsquery as query from known where rarity <= 6
), candidates as materialized (
  select f.chunk_id from wanted w cross join lateral docent_lexical_candidates(w.query, cast(:within as uuid[]), :candidates) f
   where w.query is not null
), scored as (
  select c.id, k.idf, tf.n * 2.2 / (tf.n + 1.2 * (0.25 + 0.75 * c.length / s.mean)) as weight
    from candidates f join chunks c on c.id = f.chunk_id and c.owner_id = :owner_id
   cross join size s
   cross join lateral unnest(c.tsv) u
    join known k on k.lexeme = u.lexeme
   cross join lateral (select coalesce(cardinality(u.positions), 1)::float8 as n) tf
)
select id, sum(idf * weight) as score, sum(idf) / (select greatest(sum(idf), 1e-9) from terms) as share
  from scored group by id order by score desc, id limit :limit
""")


@dataclass(frozen=True, slots=True)
class LexicalHit:
    """A chunk with its BM25 score, and the share of the question's idf that its matched lexemes carry, 0 to 1."""

    chunk_id: UUID
    score: float
    share: float


class LexiconRepository(Repository):
    """Keeps ``lexemes`` and ``corpus_sizes`` in step with the live documents, and searches by them."""

    async def lock(self, owner_id: UUID) -> None:
        """Hold an owner's statistics until the transaction ends."""
        await self._connection.execute(LOCK, {"owner_id": owner_id})

    async def add_document(self, owner_id: UUID, document_id: UUID, version: int) -> None:
        """Count the lexemes of a document's version in: once, in the transaction that makes it live."""
        of = {"owner_id": owner_id, "document_id": document_id, "version": version}
        await self.lock(owner_id)
        await self._connection.execute(COUNT, of)
        await self._connection.execute(RESIZE, {**of, "sign": 1})

    async def remove_document(self, owner_id: UUID, document_id: UUID, version: int) -> None:
        """Count the lexemes of a document's version out: once, in the transaction that ends its life."""
        of = {"owner_id": owner_id, "document_id": document_id, "version": version}
        await self.lock(owner_id)
        await self._connection.execute(DISCOUNT, of)
        await self._connection.execute(FORGET, {"owner_id": owner_id})
        await self._connection.execute(RESIZE, {**of, "sign": -1})

    async def search(
        self, owner_id: UUID, question: str, *, language: str, within: Sequence[UUID] | None, limit: int, candidates: int = 200
    ) -> list[LexicalHit]:
        """Return the owner's best chunks by BM25, best first; no rows for a question of stop words.

        ``question`` is normalised as the stored search texts are.
        """
        parameters = {
            "owner_id": owner_id,
            "question": question,
            "language": language,
            "within": None if within is None else list(within),
            "limit": limit,
            "candidates": candidates,
        }
        rows = await self._connection.execute(SEARCH, parameters)
        return [LexicalHit(row.id, row.score, row.share) for row in rows]
