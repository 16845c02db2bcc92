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
    "insert into lexemes (owner_id, language, lexeme, frequency)"
    " select :owner_id, c.language, l.lexeme, count(*) from chunks c cross join lateral unnest(c.tsv) l"
    "  where c.owner_id = :owner_id and c.document_id = :document_id and c.version = :version"
    "  group by c.language, l.lexeme order by c.language, l.lexeme"
    " on conflict (owner_id, language, lexeme) do update set frequency = lexemes.frequency + excluded.frequency"
)
DISCOUNT = text(
    "with gone as (select c.language, l.lexeme, count(*) as n from chunks c cross join lateral unnest(c.tsv) l"
    "  where c.owner_id = :owner_id and c.document_id = :document_id and c.version = :version group by c.language, l.lexeme),"
    " held as (select x.language, x.lexeme from lexemes x"
    "  where x.owner_id = :owner_id and (x.language, x.lexeme) in (select language, lexeme from gone)"
    "  order by x.language, x.lexeme for update)"
    " update lexemes x set frequency = greatest(x.frequency - gone.n, 0) from gone"
    "  where x.owner_id = :owner_id and x.language = gone.language and x.lexeme = gone.lexeme"
    "    and (x.language, x.lexeme) in (select language, lexeme from held)"
)
FORGET = text("delete from lexemes where owner_id = :owner_id and frequency = 0")
RESIZE = text(
    "insert into corpus_sizes (owner_id, language, chunks, total_length)"
    " select :owner_id, language, :sign * count(*), :sign * coalesce(sum(length), 0) from chunks"
    "  where owner_id = :owner_id and document_id = :document_id and version = :version group by language"
    " on conflict (owner_id, language) do update set chunks = greatest(corpus_sizes.chunks + excluded.chunks, 0),"
    "   total_length = greatest(corpus_sizes.total_length + excluded.total_length, 0)"
)
# The languages of a corpus are those that it has chunks of.
SHRINK = text("delete from corpus_sizes where owner_id = :owner_id and chunks <= 0")

CHUNKS = text("select coalesce(sum(chunks), 0) from corpus_sizes where owner_id = :owner_id")

# Two stages: candidates by an OR of the six rarest lexemes of each language through the GIN index, then BM25 (k1 1.2, b 0.75) over
# those. The question is read in the languages of the owner's corpus, and a chunk is scored by what its own language makes of it.
# A word is as frequent as its lexemes are in all languages together, else a word of the many would weigh most in the documents of
# the few; its place in the question says which lexemes are the same word, for all languages share the parser.
# One key for language and lexeme: by two, the planner joins the languages first and unnests every chunk once for each lexeme.
# Each lexeme is looked up by itself (`limit 1`): without statistics, after a first upload, the planner reads all of them for each.
# Each candidate is looked up by itself, too: for two hundred of them the planner would read all chunks of an owner with many.
# Of a candidate only the asked lexemes are unnested: they are marked, and the others filtered out, before rows are made of them.
# A lexeme that no chunk has counts in the total, so `share` says how much of the question's weight was found.
SEARCH = text("""
with languages as (
  select language from corpus_sizes where owner_id = :owner_id and chunks > 0 order by chunks desc, language limit :languages
), asked as (
  select g.language, u.lexeme, u.positions[1] as place
    from languages g cross join lateral unnest(to_tsvector(cast(g.language as regconfig), :question)) u
), size as (
  select sum(chunks)::float8 as n, greatest(sum(total_length)::float8 / sum(chunks)::float8, 1) as mean
    from corpus_sizes where owner_id = :owner_id and chunks > 0 having sum(chunks) > 0
), found as (
  select a.language, a.lexeme, coalesce(x.frequency, 0) as frequency, s.n,
         least((sum(coalesce(x.frequency, 0)) over (partition by a.place))::float8, s.n) as everywhere
    from asked a cross join size s
    left join lateral (
      select l.frequency from lexemes l where l.owner_id = :owner_id and l.language = a.language and l.lexeme = a.lexeme limit 1
    ) x on true
), terms as (
  select language, lexeme, frequency, ln(1 + (n - everywhere + 0.5) / (everywhere + 0.5)) as idf from found
), totals as (
  select language, greatest(sum(idf), 1e-9) as idf from terms group by language
), ranked as (
  select language, lexeme, idf, row_number() over (partition by language order by frequency, lexeme) as rarity
    from terms where frequency > 0
), known as materialized (
  select language || ' ' || lexeme as key, lexeme, idf, rarity from ranked where rarity <= 16
), wanted as (
  select (string_agg(distinct quote_literal(lexeme), ' | ') filter (where rarity <= 6))::tsquery as query,
         array_agg(distinct lexeme) as lexemes
    from known
), candidates as materialized (
  select f.chunk_id from wanted w cross join lateral docent_lexical_candidates(w.query, cast(:within as uuid[]), :candidates) f
   where w.query is not null
), scored as (
  select c.id, c.language, k.idf, tf.n * 2.2 / (tf.n + 1.2 * (0.25 + 0.75 * c.length / s.mean)) as weight
    from candidates f
   cross join lateral (
     select id, language, tsv, length from chunks where id = f.chunk_id and owner_id = :owner_id limit 1
   ) c
   cross join size s
   cross join wanted w
   cross join lateral unnest(ts_filter(setweight(c.tsv, 'A', w.lexemes), '{a}')) u
    join known k on k.key = c.language || ' ' || u.lexeme
   cross join lateral (select coalesce(cardinality(u.positions), 1)::float8 as n) tf
)
select s.id, s.score, s.matched / t.idf as share
  from (select id, language, sum(idf * weight) as score, sum(idf) as matched from scored group by id, language) s
  join totals t on t.language = s.language
 order by s.score desc, s.id limit :limit
""")
MOST_LANGUAGES = 6
"""In how many languages a question is read: those that the owner has most chunks of."""


@dataclass(frozen=True, slots=True)
class LexicalHit:
    """A chunk with its BM25 score, and the share of the question's idf that its matched lexemes carry, 0 to 1.

    The share is of what the question is in the chunk's language.
    """

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
        await self._connection.execute(SHRINK, {"owner_id": owner_id})

    async def chunks(self, owner_id: UUID) -> int:
        """Return how many chunks can be searched."""
        return int((await self._connection.execute(CHUNKS, {"owner_id": owner_id})).scalar_one())

    async def search(
        self, owner_id: UUID, question: str, *, within: Sequence[UUID] | None, limit: int, candidates: int = 200
    ) -> list[LexicalHit]:
        """Return the owner's best chunks by BM25, in whatever languages, best first; no rows for a question of stop words.

        ``question`` is normalised as the stored search texts are.
        """
        parameters = {
            "owner_id": owner_id,
            "question": question,
            "languages": MOST_LANGUAGES,
            "within": None if within is None else list(within),
            "limit": limit,
            "candidates": candidates,
        }
        rows = await self._connection.execute(SEARCH, parameters)
        return [LexicalHit(row.id, row.score, row.share) for row in rows]
