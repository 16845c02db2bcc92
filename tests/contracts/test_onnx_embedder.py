"""The ONNX adapter keeps the contract of an embedder."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.adapters.embedders.onnx import OnnxEmbedder
from backend.core.errors import ConfigurationError, EmbedderUnavailableError, EmbeddingRefusedError
from backend.core.transactions import transaction_open
from backend.ports.embedder import Vector
from tests.support.tiny_model import VOCABULARY, table, write_tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny")


def expected(words: str, *, pooling: str = "mean") -> Vector:
    """Compute the vector of known words by hand."""
    rows = table()[[VOCABULARY[token] for token in ("[CLS]", *words.split(), "[SEP]")]]
    pooled: Vector = rows.mean(axis=0) if pooling == "mean" else rows[0]
    unit: Vector = pooled / np.linalg.norm(pooled)
    return unit


async def test_rows_are_unit_vectors_in_the_order_of_the_texts_whatever_their_lengths(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    texts = [" ".join(["pumps", "are", "serviced", "krill", "bread"][: 1 + number % 5] * (1 + number % 4)) for number in range(70)]

    vectors = await embedder.embed_documents(texts)

    assert vectors.dtype == np.float32
    assert vectors.shape == (70, await embedder.dimensions())
    np.testing.assert_allclose(vectors, [expected(text) for text in texts], atol=1e-5)
    np.testing.assert_allclose(await embedder.embed_query(texts[40]), vectors[40], atol=1e-5)
    assert (await embedder.embed_documents([])).shape == (0, 32)
    for odd in ("", "   ", "東京は首都です", "a\ud800b"):
        np.testing.assert_allclose(np.linalg.norm(await embedder.embed_query(odd)), 1, atol=1e-5)


async def test_a_question_is_nearer_to_its_answer(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    near, far = await embedder.embed_documents(["Refunds are paid within 30 days.", "The cat sleeps on the sofa."])
    question = await embedder.embed_query("How many days to refunds?")

    assert question @ near > question @ far


async def test_the_folder_says_how_tokens_become_one_vector(tmp_path: Path) -> None:
    first = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    by_first = OnnxEmbedder(write_tiny_model(tmp_path / "first", pooling=first))
    by_graph = OnnxEmbedder(write_tiny_model(tmp_path / "graph", output="sentence_embedding", pooling=first))
    unsaid = OnnxEmbedder(write_tiny_model(tmp_path / "unsaid", pooling=None))

    assert np.allclose(await by_first.embed_query("bread needs flour"), expected("bread needs flour", pooling="cls"), atol=1e-5)
    # The sum has the direction of the mean: the graph has pooled, and nothing is pooled again.
    assert np.allclose(await by_graph.embed_query("bread needs flour"), expected("bread needs flour"), atol=1e-5)
    assert np.allclose(await unsaid.embed_query("bread needs flour"), expected("bread needs flour"), atol=1e-5)


async def test_nothing_of_a_long_text_is_cut(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    one, two = ["bread"] * 30, ["krill"] * 12

    [vector] = await embedder.embed_documents([" ".join([*one, *two])])

    # A window of 32 tokens, and one of 14: the beginning and the end of each are counted with them.
    total = 32 * expected(" ".join(one)) + 14 * expected(" ".join(two))
    np.testing.assert_allclose(vector, total / np.linalg.norm(total), atol=1e-5)
    longest = await embedder.embed_documents(["x" * embedder.max_characters + " krill", "x" * embedder.max_characters])
    assert not np.allclose(longest[0], longest[1], atol=1e-3)


async def test_what_a_model_wants_before_a_text_is_put_there(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "query ", "passage": "passage "}}
    embedder = OnnxEmbedder(write_tiny_model(tmp_path / "tiny", config_sentence_transformers=prompts))

    np.testing.assert_allclose(await embedder.embed_query("bread"), expected("query bread"), atol=1e-5)
    np.testing.assert_allclose((await embedder.embed_documents(["bread"]))[0], expected("passage bread"), atol=1e-5)


WINDOWS: dict[str, tuple[int, dict[str, Any]]] = {
    "what it was trained with": (32, {}),
    "less than its positions": (64, {"sentence_bert_config": {"max_seq_length": 100}}),
    "the tokenizer's": (48, {"sentence_bert_config": None, "tokenizer_config": {"model_max_length": 48}}),
    "positions behind padding": (
        62,
        {"sentence_bert_config": None, "config": {"model_type": "roberta", "max_position_embeddings": 64, "pad_token_id": 1}},
    ),
    "nothing is said": (512, {"sentence_bert_config": None, "config": {}}),
}


@pytest.mark.parametrize(("window", "files"), WINDOWS.values(), ids=WINDOWS.keys())
def test_the_window_is_the_smallest_that_the_folder_names(tmp_path: Path, window: int, files: dict[str, Any]) -> None:
    assert OnnxEmbedder(write_tiny_model(tmp_path / "tiny", **files)).max_characters == 4 * window


def test_retrieval_with_another_model_is_tuned_by_a_file_of_ours(tmp_path: Path) -> None:
    told = {"dense_weight": 0.7, "relevance_threshold": 0.81}
    embedder = OnnxEmbedder(write_tiny_model(tmp_path / "tiny", docent=told))

    assert (embedder.dense_weight, embedder.relevance_threshold) == (0.7, 0.81)


async def test_other_files_are_another_identity_and_never_embed_for_the_one_before(folder: Path, tmp_path: Path) -> None:
    first = OnnxEmbedder(folder)
    await first.dimensions()
    same = OnnxEmbedder(folder, identity=first.identity)
    before = await same.embed_query("bread")
    (folder / "docent.json").write_text('{"dense_weight": 0.2}')  # No vector depends on it.
    assert np.array_equal(await OnnxEmbedder(folder, identity=first.identity).embed_query("bread"), before)
    shutil.move(folder, tmp_path / "aside")

    with pytest.raises(EmbedderUnavailableError, match="no embedding model tiny"):
        await OnnxEmbedder(folder, identity=first.identity).embed_query("bread")
    other = OnnxEmbedder(write_tiny_model(folder, seed=2))
    await other.dimensions()

    assert first.identity.startswith("onnx/tiny@")
    assert other.identity.partition("@")[0] == "onnx/tiny"
    assert other.identity != first.identity
    with pytest.raises(EmbedderUnavailableError, match="docent reindex --embedder onnx --model tiny"):
        await OnnxEmbedder(folder, identity=first.identity).embed_documents(["bread"])


async def test_a_text_that_the_graph_fails_at_is_refused(tmp_path: Path) -> None:
    narrow = OnnxEmbedder(write_tiny_model(tmp_path / "narrow", positions=16))
    embedder = OnnxEmbedder(write_tiny_model(tmp_path / "tiny"))

    for refusing, text in ((narrow, "bread " * 20), (embedder, "the void")):
        with pytest.raises(EmbeddingRefusedError):
            await refusing.embed_documents(["bread", text])
        assert (await refusing.embed_documents(["bread"])).shape == (1, 32)


UNUSABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "config.json": ("cannot be read", {"config": "{"}),
    "a list": ("cannot be read", {"config": "[]"}),
    "pooling": ("pooling_mode_max_tokens", {"pooling": {"pooling_mode_max_tokens": True}}),
    "dense": ("Dense", {"modules": [{"type": "sentence_transformers.models.Dense"}]}),
    "window": ("window of 4", {"sentence_bert_config": {"max_seq_length": 4}}),
    "weight": ("not between 0 and 1", {"docent": {"dense_weight": 7}}),
    "tokenizer": ("tokenizer.json", {"tokenizer": "{}"}),
    "output": ("neither", {"output": "pooler_output"}),
}


@pytest.mark.parametrize(("said", "files"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path, said: str, files: dict[str, Any]) -> None:
    write_tiny_model(tmp_path / "tiny", **files)

    with pytest.raises(ConfigurationError, match=said):
        await OnnxEmbedder(tmp_path / "tiny").dimensions()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
async def test_a_missing_or_damaged_file_is_a_sentence(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:500])
    with pytest.raises(ConfigurationError, match=f"^{name} of the embedding model tiny is damaged. Export it again"):
        await OnnxEmbedder(folder).dimensions()
    (folder / name).unlink()

    with pytest.raises(ConfigurationError, match=f"tiny has no {name}"):
        OnnxEmbedder(folder)


async def test_a_graph_in_the_folder_where_published_models_have_it_is_found(folder: Path) -> None:
    (folder / "onnx").mkdir()
    shutil.move(folder / "model.onnx", folder / "onnx" / "model.onnx")

    assert await OnnxEmbedder(folder).dimensions() == 32


async def test_nothing_is_embedded_inside_a_transaction(folder: Path) -> None:
    embedder = OnnxEmbedder(folder)
    token = transaction_open.set(True)
    try:
        for call in (embedder.embed_documents(["one"]), embedder.embed_query("one"), embedder.dimensions()):
            with pytest.raises(RuntimeError, match="inside an open transaction"):
                await call
    finally:
        transaction_open.reset(token)
