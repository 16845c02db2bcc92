"""An evaluation says how good the search is, by leg, and what it refuses."""

from math import log2

import pytest

from backend.core.errors import EmbedderUnavailableError, QuestionsRefusedError
from backend.core.values.evaluation import KnownQuestion, Miss
from tests.support.workshop import Workshop

PUMPS = "The pumps are serviced every second year by a technician.\n\n" + "Nobody else may open the housing. " * 20
WHALES = (
    "Blue whales eat krill, up to 3,600 kilograms a day.\n\n"
    + "Their calls carry far under water. " * 20
    + "The smallest is the vaquita."
)
BREAD = "Bread needs flour, water, salt and time."


async def test_places_are_documents_pages_and_texts_and_every_leg_is_measured(workshop: Workshop) -> None:
    owner_id = await workshop.user()
    pumps = await workshop.indexed(owner_id, PUMPS, filename="pumps.txt")
    for name, text in (("whales.txt", WHALES), ("bread.txt", BREAD)):
        await workshop.indexed(owner_id, text, filename=name)
    questions = [
        KnownQuestion(1, "Who services the pumps?", document_id=pumps.id),
        KnownQuestion(2, "What do whales eat?", document="whales.txt", text="EAT   krill,"),
        KnownQuestion(3, "What do whales eat?", document="bread.txt"),
        KnownQuestion(5, "Which is the smallest vaquita?", document="whales.txt", text="smallest is\nthe vaquita"),
        KnownQuestion(6, "Which parliament ratified the treaty?", answerable=False),
        KnownQuestion(7, "Does bread need salt?", answerable=False),
    ]

    found = await workshop.services.evaluation.evaluate(owner_id, questions)

    fused = found.legs["fused"]
    assert (found.answerable, found.unanswerable) == (4, 2)
    assert fused.recall_1 == pytest.approx(3 / 4)
    assert found.legs["lexical"].recall_10 == pytest.approx(3 / 4)
    # By meaning everything is found, so bread has a rank for what whales eat.
    observed = await workshop.services.evaluation.observe(owner_id, "What do whales eat?")
    documents = list(dict.fromkeys(hit.document_id for hit in observed.hits))
    rank = 1 + documents.index(next(hit.document_id for hit in observed.hits if hit.document_id not in (pumps.id, documents[0])))
    assert fused.mrr_10 == pytest.approx((3 + 1 / rank) / 4)
    assert fused.ndcg_10 == pytest.approx((3 + 1 / log2(rank + 1)) / 4)
    assert found.missed == ()
    assert (found.wrongly_refused, found.rightly_refused) == (0.0, 0.5)
    assert found.degraded == {}
    assert found.embedder == workshop.embedder.identity


async def test_a_leg_that_is_down_is_counted_and_what_nobody_asked_has_no_share(workshop: Workshop) -> None:
    owner_id = await workshop.user()
    await workshop.indexed(owner_id, PUMPS, filename="pumps.txt")
    workshop.embedder.question_failure = EmbedderUnavailableError()

    found = await workshop.services.evaluation.evaluate(
        owner_id,
        [KnownQuestion(1, "Who services the pumps?", document="pumps.txt"), KnownQuestion(2, "Krill?", document="pumps.txt")],
    )

    assert found.degraded == {"dense": 2}
    assert (found.legs["dense"].recall_10, found.legs["lexical"].recall_10) == (0.0, 0.5)
    assert found.missed == (Miss(2, "Krill?", None),)
    assert (found.wrongly_refused, found.rightly_refused) == (0.5, None)


async def test_a_place_that_is_not_there_is_named_with_its_line(workshop: Workshop) -> None:
    owner_id, stranger = await workshop.user(), await workshop.user("bob")
    document = await workshop.indexed(owner_id, PUMPS, filename="pumps.txt")
    await workshop.indexed(owner_id, WHALES, filename="twice.txt")
    await workshop.indexed(owner_id, BREAD, filename="twice.txt")
    await workshop.uploaded(owner_id, "Not indexed.", filename="waiting.txt")
    wrong = {
        "there is no document missing.txt": (owner_id, KnownQuestion(4, "Why?", document="missing.txt")),
        f"there is no document {document.id}": (stranger, KnownQuestion(4, "Why?", document_id=document.id)),
        "2 documents are called twice.txt": (owner_id, KnownQuestion(4, "Why?", document="twice.txt")),
        "is not ready": (owner_id, KnownQuestion(4, "Why?", document="waiting.txt")),
        "this text is not in": (owner_id, KnownQuestion(4, "Why?", document="pumps.txt", text="krill")),
    }

    for said, (asking, known) in wrong.items():
        with pytest.raises(QuestionsRefusedError, match=f"^Line 4: .*{said}"):
            await workshop.services.evaluation.evaluate(asking, [known])
    with pytest.raises(QuestionsRefusedError, match="no questions"):
        await workshop.services.evaluation.evaluate(owner_id, [])
    with pytest.raises(QuestionsRefusedError, match="no account nobody"):
        await workshop.services.evaluation.owner("nobody")
