"""Retrieval: two legs, one owner."""

import pytest

from backend.core.errors import EmbedderUnavailableError
from backend.core.values.document import Document
from backend.rag.fusion import fuse
from backend.rag.normalising import search_text
from tests.support.workshop import Workshop

ANIMALS = {
    "whales": "Blue whales eat krill, up to 3,600 kilograms a day.",
    "owls": "Owls hunt mice at night and swallow them whole.",
    "code": "Call parseJSONBody from src/http/body_parser.py when x-request-id is set to foo/bar.",
    "accents": "L'état, c'est moi, said the king of Naïveté to the Straßenbahn.",
}


async def found_in(workshop: Workshop, owner: object, question: str, **options: object) -> list[str]:
    options = {"within": None, **options}
    retrieved = await workshop.retriever.retrieve(owner, question, **options)  # type: ignore[arg-type] # passed through
    return [passage.text for passage in retrieved.passages]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What do blue whales eat?", "whales"),
        ("WHALE", "whales"),
        ("how many kilograms??? (of krill!)", "whales"),
        ("Which animal was hunting a mouse at night, an owl?", "owls"),
        ("parse json body", "code"),
        ("parseJSONBody", "code"),
        ("body_parser.py", "code"),
        ("what is foo-bar", "code"),
        ("who said Etat? L'état!", "accents"),
        ("ＳＴＲＡＳＳＥＮＢＡＨＮ straßenbahn", "accents"),
    ],
)
async def test_a_question_finds_the_passage_however_its_words_are_written(workshop: Workshop, question: str, expected: str) -> None:
    alice = await workshop.user()
    for text in ANIMALS.values():
        await workshop.indexed(alice, text)

    assert (await found_in(workshop, alice, question))[:1] == [ANIMALS[expected]]


@pytest.mark.parametrize(
    "question", ["", "   ", "what is the", "?!…", "\u2028", "' | ! & ( :* \\", "the " * 2000, "'); drop table chunks; --"]
)
async def test_a_question_without_words_that_count_finds_nothing_and_breaks_nothing(workshop: Workshop, question: str) -> None:
    alice = await workshop.user()
    for text in ANIMALS.values():
        await workshop.indexed(alice, text)

    retrieved = await workshop.retriever.retrieve(alice, question, within=None)

    assert (retrieved.passages, retrieved.degraded) == ((), ())


async def test_nothing_of_another_owner_is_found_by_any_way(workshop: Workshop) -> None:
    alice, bob, carol = [await workshop.user(name) for name in ("alice", "bob", "carol")]
    hers = await workshop.indexed(alice, ANIMALS["whales"])
    await workshop.indexed(bob, ANIMALS["owls"])
    question = "What do blue whales eat, krill?"

    for owner in (bob, carol):
        for down in (False, True):
            workshop.index.down = down
            assert await found_in(workshop, owner, question) == []
            assert await found_in(workshop, owner, question, within=[hers.id]) == []
    assert await found_in(workshop, alice, question, within=[hers.id]) == [ANIMALS["whales"]]


async def test_a_filter_limits_both_legs_to_its_documents(workshop: Workshop) -> None:
    alice = await workshop.user()
    documents = {name: await workshop.indexed(alice, text) for name, text in ANIMALS.items()}
    question = "Do blue whales eat krill, and do owls hunt mice?"

    assert set(await found_in(workshop, alice, question)) == {ANIMALS["whales"], ANIMALS["owls"]}
    assert await found_in(workshop, alice, question, within=[documents["owls"].id]) == [ANIMALS["owls"]]
    assert await found_in(workshop, alice, question, within=[documents["code"].id]) == []
    assert await found_in(workshop, alice, question, within=[]) == []


async def test_only_live_documents_that_are_not_deleted_are_found(workshop: Workshop) -> None:
    alice = await workshop.user()
    document = await workshop.indexed(alice, ANIMALS["whales"])
    for change in ("live_version = null", "live_version = 2", "live_version = 1, deleted_at = now()"):
        await workshop.rows(f"update documents set {change}")  # noqa: S608 - the changes above
        for down in (False, True):
            workshop.index.down = down
            assert await found_in(workshop, alice, "blue whales eat krill") == []
            assert await found_in(workshop, alice, "blue whales eat krill", within=[document.id]) == []


async def test_without_the_embedder_the_lexical_leg_answers_and_the_result_says_so(workshop: Workshop) -> None:
    alice = await workshop.user()
    await workshop.indexed(alice, ANIMALS["whales"])
    workshop.embedder.question_failure = EmbedderUnavailableError()

    retrieved = await workshop.retriever.retrieve(alice, "What do blue whales eat?", within=None)

    assert [passage.text for passage in retrieved.passages] == [ANIMALS["whales"]]
    assert retrieved.degraded == ("dense",)


async def test_a_defect_of_a_leg_is_no_degradation(workshop: Workshop) -> None:
    alice = await workshop.user()
    await workshop.indexed(alice, ANIMALS["whales"])
    workshop.embedder.question_failure = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await workshop.retriever.retrieve(alice, "What do blue whales eat?", within=None)


async def test_the_scores_are_the_fusion_of_cosine_and_bm25(workshop: Workshop) -> None:
    alice = await workshop.user()
    for text in (*ANIMALS.values(), "Whales sing. Whales migrate.", "Krill is eaten by whales and by seals."):
        await workshop.indexed(alice, text)
    question = "What do whales eat? Krill!"
    vector = await workshop.embedder.embed_query(question)
    async with workshop.uow.of(alice) as tx:
        lexical = await tx.lexicon.search(alice, search_text(question), within=None, limit=100)
        stored = await workshop.rows("select c.id, v.vector, c.text from chunk_vectors v join chunks c on c.id = v.chunk_id")
    vectors = await workshop.embedder.embed_documents([row["text"] for row in stored])
    dense = [(row["id"], float(similarity)) for row, similarity in zip(stored, vectors @ vector, strict=True)]
    weight = workshop.embedder.dense_weight
    expected = {hit.chunk_id: hit for hit in fuse(dense, [(hit.chunk_id, hit.score) for hit in lexical], dense_weight=weight)}

    passages = (await workshop.retriever.retrieve(alice, question, within=None)).passages

    assert [passage.marker for passage in passages] == [1, 2, 3]
    assert len(lexical) == 3
    for passage in passages:
        assert passage.score == pytest.approx(expected[passage.chunk_id].score, abs=2e-3)
    assert [passage.score for passage in passages] == sorted((passage.score for passage in passages), reverse=True)


async def test_a_large_document_that_is_being_indexed_does_not_crowd_out_what_is_ready(workshop: Workshop) -> None:
    alice = await workshop.user()
    ready = await workshop.indexed(alice, "The melting point of gallium is low.")
    question = "galliumx meltingx pointx"
    assert await lexical_hits(workshop, ready, question) == 0, "only the dense leg can find it"
    crowd = await workshop.uploaded(alice, "\n\n".join(f"{question} {number}. " * 15 for number in range(130)))
    workshop.embedder.fail(RuntimeError("its last batch is not stored yet"), at=33)
    with pytest.raises(RuntimeError):
        await workshop.services.documents.index(alice, crowd.id)
    assert await workshop.in_index(alice) > 100

    assert await found_in(workshop, alice, question) == ["The melting point of gallium is low."]


async def lexical_hits(workshop: Workshop, document: Document, question: str) -> int:
    async with workshop.uow.of(document.owner_id) as tx:
        return len(await tx.lexicon.search(document.owner_id, search_text(question), within=None, limit=9))


async def test_a_vector_that_the_index_takes_while_it_is_asked_is_not_missed(workshop: Workshop) -> None:
    alice = await workshop.user()
    workshop.index.down = True
    document = await workshop.indexed(alice, ANIMALS["owls"])
    workshop.index.down = False
    workshop.index.after_query = lambda: workshop.services.documents.confirm(alice, document.id)

    # No word in common, so only the dense leg can find it.
    assert await found_in(workshop, alice, "owlhunts nightmice swallowed") == [ANIMALS["owls"]]
    assert await workshop.in_index(alice) == 1
