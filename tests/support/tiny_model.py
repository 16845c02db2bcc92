"""A model's folder as an export makes it, small enough for a test: the vector of a text is made of its words' vectors."""

import json
import string
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

DIMENSIONS = 32
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = (
    "the of is are in on by to how many pumps serviced service years refunds paid days within cat sleeps sofa bread needs flour "
    "krill query passage void"
)
LETTERS = [prefix + letter for letter in string.ascii_lowercase + string.digits + string.punctuation for prefix in ("", "##")]
VOCABULARY = {token: number for number, token in enumerate([*SPECIAL, *WORDS.split(), *LETTERS])}


def write_tiny_model(
    folder: Path, *, seed: int = 1, output: str = "last_hidden_state", positions: int | None = None, **files: object
) -> Path:
    """Write a model. ``files`` are JSON files by their stems, ``pooling`` is that of ``1_Pooling``; ``None`` leaves one out."""
    folder.mkdir(parents=True)
    _tokenizer().save(str(folder / "tokenizer.json"))
    onnx.save(_graph(seed, output, positions), folder / "model.onnx")
    plain: dict[str, object] = {
        "config": {"model_type": "bert", "max_position_embeddings": 64, "pad_token_id": 0},
        "pooling": {"word_embedding_dimension": DIMENSIONS, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
        "sentence_bert_config": {"max_seq_length": 32},
    }
    for stem, content in {**plain, **files}.items():
        path = folder / ("1_Pooling/config.json" if stem == "pooling" else f"{stem}.json")
        path.parent.mkdir(exist_ok=True)
        if content is not None:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def table(seed: int = 1) -> NDArray[np.float32]:
    """Return the vectors of the tokens. Those that separate and fill are short, and one word has none."""
    vectors = np.random.default_rng(seed).standard_normal((len(VOCABULARY), DIMENSIONS)).astype(np.float32)
    vectors[: len(SPECIAL)] *= 0.01
    vectors[VOCABULARY["void"]] = np.nan
    return vectors


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(WordPiece(VOCABULARY, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", VOCABULARY["[CLS]"]), ("[SEP]", VOCABULARY["[SEP]"])]
    )
    # As exports have them, and as nobody should believe them.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    return tokenizer


def _graph(seed: int, output: str, positions: int | None) -> onnx.ModelProto:
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    weights = [numpy_helper.from_array(table(seed), "table")]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["words"])]
    hidden = "words"
    if positions is not None:
        inputs.append("position_ids")
        weights.append(numpy_helper.from_array(np.zeros((positions, DIMENSIONS), dtype=np.float32), "places"))
        nodes.append(helper.make_node("Gather", ["places", "position_ids"], ["placed"]))
        nodes.append(helper.make_node("Add", ["words", "placed"], ["both"]))
        hidden = "both"
    shape: list[str | int | None] = ["batch", "tokens", DIMENSIONS] if output == "last_hidden_state" else ["batch", DIMENSIONS]
    if output == "last_hidden_state":
        nodes.append(helper.make_node("Identity", [hidden], [output]))
    else:
        # The sum over the tokens that are not padding.
        weights.append(numpy_helper.from_array(np.array([2], dtype=np.int64), "last"))
        weights.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "middle"))
        nodes.append(helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]))
        nodes.append(helper.make_node("Mul", [hidden, "wide"], ["masked"]))
        nodes.append(helper.make_node("ReduceSum", ["masked", "middle"], [output], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
