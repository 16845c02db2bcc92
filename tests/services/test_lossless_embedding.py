"""Embedding that loses nothing, by models that refuse."""

from collections.abc import Sequence

import numpy as np
import pytest

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.core.errors import EmbedderUnavailableError, EmbeddingRefusedError
from backend.ports.embedder import Vector, Vectors
from backend.rag.similarity import from_bytes
from backend.services.indexing.embedding import WILLING_AFTER, LosslessEmbedding
from tests.support.files import long_text

WORDS = long_text(2).decode()


class PickyEmbedder(HashingEmbedder):
    """Refuses batches of more texts or characters than it likes, and every text that holds a word that it does not like."""

    batch_size = 64

    def __init__(self, *, texts: int = 64, characters: int = 10**6, disliked: str | None = None) -> None:
        self.texts, self.characters, self.disliked = texts, characters, disliked
        self.calls: list[int] = []
        self.down = False

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(len(texts))
        if self.down:
            raise EmbedderUnavailableError
        if len(texts) > self.texts or any(len(text) > self.characters for text in texts):
            raise EmbeddingRefusedError
        if self.disliked is not None and any(self.disliked in text for text in texts):
            raise EmbeddingRefusedError
        return await super().embed_documents(texts)


async def embedded(embedder: PickyEmbedder, texts: Sequence[str]) -> list[Vector | None]:
    vectors = await LosslessEmbedding(embedder).embed(texts)
    return [None if vector is None else from_bytes([vector], 512)[0] for vector in vectors]


def assert_near(vectors: Sequence[Vector | None], expected: Vectors) -> None:
    """Check that there is every vector, up to the precision that they are stored with."""
    for vector, wanted in zip(vectors, expected, strict=True):
        assert vector is not None
        assert np.allclose(vector, wanted, atol=1e-3)


async def test_what_is_not_refused_is_embedded_as_the_model_does_it_in_one_call() -> None:
    embedder = PickyEmbedder()
    texts = [f"subject {number}" for number in range(64)]
    vectors = await embedded(embedder, texts)
    assert embedder.calls == [64]
    assert_near(vectors, await HashingEmbedder().embed_documents(texts))


async def test_a_text_that_is_too_long_is_embedded_in_parts_and_its_tail_counts() -> None:
    tail = "the zeppelin landed upon the glacier"
    for limit in (60, 200, 400):
        [vector] = await embedded(PickyEmbedder(characters=limit), [f"{WORDS} {tail}"])
        [without] = await embedded(PickyEmbedder(characters=limit), [WORDS])
        assert vector is not None
        assert without is not None
        whole, asked = await HashingEmbedder().embed_documents([f"{WORDS} {tail}", tail])
        assert np.linalg.norm(vector) == pytest.approx(1, abs=2e-3)
        assert float(vector @ whole) > 0.8
        assert float(vector @ asked) > float(without @ asked) + 0.05


async def test_a_text_without_a_space_is_cut_all_the_same() -> None:
    [vector] = await embedded(PickyEmbedder(characters=100), ["x" * 1000])
    assert vector is not None


async def test_one_bad_text_costs_itself_alone_and_few_calls() -> None:
    texts = [f"subject {number}" for number in range(64)]
    texts[37] = "a poisoned text"
    embedder = PickyEmbedder(disliked="poison")
    vectors = await embedded(embedder, texts)
    assert [number for number, vector in enumerate(vectors) if vector is None] == [37]
    assert_near(vectors[:1], await HashingEmbedder().embed_documents(texts[:1]))
    assert len(embedder.calls) <= 15, "the whole, and two halves at each of six levels"


async def test_a_long_text_whose_one_part_is_refused_has_no_vector_rather_than_half_of_one() -> None:
    bad, fine = await embedded(PickyEmbedder(disliked="poison"), [f"{WORDS} poison {WORDS}", "fine"])
    assert (bad is None, fine is None) == (True, False)


async def test_a_model_that_refuses_everything_is_found_out_after_few_calls() -> None:
    embedder = PickyEmbedder(texts=0)
    with pytest.raises(EmbeddingRefusedError):
        await LosslessEmbedding(embedder).embed([WORDS] * 64)
    assert len(embedder.calls) <= 16


async def test_a_model_that_goes_away_between_the_halves_is_waited_for_and_not_taken_for_one_that_refuses() -> None:
    embedder = PickyEmbedder(texts=1)
    embedder.down = True
    with pytest.raises(EmbedderUnavailableError):
        await LosslessEmbedding(embedder).embed(["a", "b"])


async def test_batches_shrink_to_what_the_model_takes_and_grow_again() -> None:
    embedder = PickyEmbedder(texts=10)
    embedding = LosslessEmbedding(embedder)
    assert all(await embedding.embed(["text"] * embedding.batch_size))
    assert embedding.batch_size == 8
    embedder.texts = 64
    sizes = []
    for _ in range(3 * WILLING_AFTER):
        await embedding.embed(["text"] * embedding.batch_size)
        sizes.append(embedding.batch_size)
    assert sizes == sorted(sizes)
    assert sizes[-1] == 64


async def test_a_text_that_is_too_long_by_itself_does_not_shrink_the_batches() -> None:
    embedding = LosslessEmbedding(PickyEmbedder(characters=300))
    assert all(await embedding.embed(["text"] * 40 + [WORDS] + ["text"] * 23))
    assert embedding.batch_size == 64


async def test_nothing_asks_for_nothing() -> None:
    embedder = PickyEmbedder()
    assert await LosslessEmbedding(embedder).embed([]) == []
    assert embedder.calls == []
