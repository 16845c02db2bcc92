import hashlib
import time

import numpy as np
import pytest

from backend.adapters.embedders.hashing import HashingEmbedder
from backend.core.transactions import transaction_open
from tests.support.pace import LINEAR


async def test_rows_belong_to_their_texts_and_have_length_1() -> None:
    embedder = HashingEmbedder()
    texts = ["The pump is blue.", "", "of the", "東京は首都です", "x" * 100_000, "a\ud800b"] + [
        f"text {number}" for number in range(200)
    ]

    vectors = await embedder.embed_documents(texts)

    assert vectors.shape == (len(texts), await embedder.dimensions()) == (206, 512)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    for row in (0, 1, 3, 150):
        assert np.array_equal(vectors[row], await embedder.embed_query(texts[row]))


async def test_nothing_gives_no_rows() -> None:
    assert (await HashingEmbedder().embed_documents([])).shape == (0, 512)


async def test_vectors_are_the_same_in_every_process() -> None:
    vector = await HashingEmbedder().embed_query("Pumps are serviced every two years; naïve parseJSONBody 東京")

    assert (
        hashlib.sha256(np.round(vector * 100).astype("<i2").tobytes()).hexdigest()
        == "e1f1786e66700242dcf8e0cba341c9563229308124e165079d7d331e3b56250b"
    )


async def test_the_passage_that_shares_words_or_their_parts_is_nearest_and_relevant() -> None:
    embedder = HashingEmbedder()
    passages = await embedder.embed_documents(
        [
            "Pumps are serviced every second year by a technician.",
            "The board met in Zürich to discuss dividends.",
            "Bread needs flour.",
        ]
    )

    similarities = passages @ await embedder.embed_query("How often must the pump be serviced?")

    assert int(similarities.argmax()) == 0
    assert similarities[0] >= embedder.relevance_threshold > similarities[1:].max()


async def test_large_uploads_and_long_texts_take_linear_time() -> None:
    embedder = HashingEmbedder()
    chunk = "The pump is serviced by a technician who knows it well. " * 12

    async def processor_seconds(texts: list[str]) -> float:
        """The embedder works in another thread, whose time the process's includes."""
        begun = time.process_time()
        await embedder.embed_documents(texts)
        return time.process_time() - begun

    for less, more in (([chunk] * 64, [chunk] * 512), ([chunk * 16], [chunk * 128])):
        seconds = [min([await processor_seconds(texts) for _ in range(3)]) for texts in (less, more)]
        assert seconds[1] / seconds[0] < LINEAR


async def test_it_refuses_to_work_inside_a_transaction() -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="transaction"):
            await HashingEmbedder().embed_query("x")
    finally:
        transaction_open.reset(token)
