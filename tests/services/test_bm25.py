"""The lexical leg's statement, against BM25 written down in plain Python."""

import random
from collections import Counter
from math import log
from uuid import UUID

import pytest

from backend.db.repositories.lexicon import LexicalHit
from backend.rag.normalising import search_text
from tests.support.workshop import Workshop

K1, B = 1.2, 0.75
VOCABULARY = ["whale", "krill", "ocean", "deep", "blue", "song", "calf", "migration", "tide", "reef", "plankton", "orca"]


async def lexical(workshop: Workshop, owner: UUID, question: str, **options: object) -> list[LexicalHit]:
    options = {"within": None, "limit": 100, **options}
    async with workshop.uow.of(owner) as tx:
        return await tx.lexicon.search(owner, search_text(question), **options)  # type: ignore[arg-type]


async def lexemes_of(workshop: Workshop, text: str) -> Counter[str]:
    found = await workshop.rows(
        "select lexeme, cardinality(positions) as n from unnest(to_tsvector('english', $1::text))", search_text(text)
    )
    return Counter({row["lexeme"]: row["n"] for row in found})


async def by_hand(workshop: Workshop, owner: UUID, question: str) -> dict[UUID, tuple[float, float]]:
    """Return score and share of every chunk that has a lexeme of the question."""
    chunks = await workshop.rows("select id, search_text from chunks where owner_id = $1", owner)
    bags = {row["id"]: await lexemes_of(workshop, row["search_text"]) for row in chunks}
    mean = sum(bag.total() for bag in bags.values()) / len(bags)
    frequency = Counter(lexeme for bag in bags.values() for lexeme in bag)
    asked = await lexemes_of(workshop, question)
    idf = {lexeme: log(1 + (len(bags) - frequency[lexeme] + 0.5) / (frequency[lexeme] + 0.5)) for lexeme in asked}
    scores = {}
    for chunk_id, bag in bags.items():
        matched = [lexeme for lexeme in asked if bag[lexeme]]
        weight = {n: n * (K1 + 1) / (n + K1 * (1 - B + B * bag.total() / mean)) for n in bag.values()}
        if matched:
            score = sum(idf[lexeme] * weight[bag[lexeme]] for lexeme in matched)
            scores[chunk_id] = score, sum(idf[lexeme] for lexeme in matched) / sum(idf.values())
    return scores


@pytest.mark.parametrize(
    "question",
    ["blue whale song", "Do whales eat krill, krill and krill?", "unicorn whales", "the deepest reefs of all oceans", "unicorn"],
)
async def test_scores_and_shares_are_those_of_bm25(workshop: Workshop, question: str) -> None:
    chance = random.Random(7)  # noqa: S311 - a repeatable corpus, not a secret
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    for _ in range(12):
        await workshop.indexed(alice, " ".join(chance.choices(VOCABULARY, weights=range(1, 13), k=chance.randint(3, 60))) + ".")
    await workshop.indexed(bob, "Blue whales sing songs about unicorns, which would change every idf.")

    hits = await lexical(workshop, alice, question)

    expected = await by_hand(workshop, alice, question)
    assert {hit.chunk_id for hit in hits} == set(expected)
    for hit in hits:
        assert (hit.score, hit.share) == pytest.approx(expected[hit.chunk_id], rel=1e-9)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_a_long_question_is_searched_by_its_rarest_lexemes(workshop: Workshop) -> None:
    alice = await workshop.user()
    common = "whale krill ocean deep blue song calf"
    for number in range(8):
        await workshop.indexed(alice, f"{common} number{number}")
    rare = await workshop.indexed(alice, f"{common} xylophone")

    hits = await lexical(workshop, alice, f"{common} xylophone")

    first = (await workshop.rows("select document_id from chunks where id = $1", hits[0].chunk_id))[0]["document_id"]
    assert (first, len(hits)) == (rare.id, 9)
    assert hits[0].share == pytest.approx(1)
    assert await lexical(workshop, alice, common, limit=2) == (await lexical(workshop, alice, common))[:2]


async def test_a_word_that_every_chunk_or_no_chunk_has_gives_no_error(workshop: Workshop) -> None:
    alice = await workshop.user()
    await workshop.indexed(alice, "whale")

    (hit,) = await lexical(workshop, alice, "whale")
    assert hit.score > 0
    assert hit.share == pytest.approx(1)
    assert await lexical(workshop, alice, "unicorn") == []


@pytest.mark.parametrize("word", ["ß" * 900, "x" * 3000, "é" * 680, "𝔘" * 690, "ﬁ" * 600])
async def test_a_word_of_any_length_in_any_script_is_indexed(workshop: Workshop, word: str) -> None:
    alice = await workshop.user()

    document = await workshop.indexed(alice, f"krill {word} orca")

    assert document.status == "ready"
    assert len(await lexical(workshop, alice, "krill orca")) >= 1
