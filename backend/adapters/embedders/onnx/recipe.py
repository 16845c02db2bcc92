"""What the files of a model's folder say about how it wants to be used."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from backend.core.errors import ConfigurationError

Pooling = Literal["mean", "cls"]

_MODULES: Final = {"Transformer", "Pooling", "Normalize"}
_POOLINGS: Final[dict[str, Pooling]] = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_SAID: Final = (
    "config.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "tokenizer_config.json",
    "tokenizer.json",
)
_LONGEST_WINDOW: Final = 8192
_SHORTEST_WINDOW: Final = 8
# Their positions are counted from behind the padding token's id.
_POSITIONS_AFTER_PADDING: Final = {"roberta", "xlm-roberta", "camembert", "mpnet"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How texts become vectors.

    ``window`` is in tokens, with the special ones. The vectors are always given length 1, whether the folder asks for it or not.

    The two numbers of retrieval are measured and not told by the model: these are of all-MiniLM-L6-v2, from the trade-off that
    ``python -m benchmarks.retrieval --sweep`` prints (docs/benchmarks.md). With the lexical threshold they refuse 0 and 0.4 %
    of the questions of Cranfield and SQuAD, and 91 and 96 % of those of the other set. A file ``docent.json`` in the folder may
    have others for another model.
    """

    window: int = 512
    pooling: Pooling = "mean"
    document_prefix: str = ""
    query_prefix: str = ""
    dense_weight: float = 0.5
    relevance_threshold: float = 0.36


PLAIN: Final = Recipe()
"""Of a folder that says nothing."""


def read_recipe(folder: Path) -> Recipe:
    """Read the small files of a model's folder.

    Raises:
        ConfigurationError: The folder or a file that it needs is missing, damaged, or asks for what is not done here.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"There is no embedding model {folder.name} in {folder.parent}. Put its folder there, or set ONNX_MODELS and "
            "EMBEDDING_MODEL: the folder of all models, and the name of one."
        )
    if not (folder / "tokenizer.json").is_file():
        raise ConfigurationError(f"The embedding model {folder.name} has no tokenizer.json. Export it again.")
    graph_of(folder)
    _refuse_other_modules(folder)
    told, prompts = _json(folder, "docent.json"), _json(folder, "config_sentence_transformers.json").get("prompts") or {}
    try:
        return Recipe(
            window=_window(folder),
            pooling=_pooling(folder),
            document_prefix=str(prompts.get("document") or prompts.get("passage") or ""),
            query_prefix=str(prompts.get("query") or ""),
            dense_weight=_share(told.get("dense_weight", PLAIN.dense_weight)),
            relevance_threshold=_share(told.get("relevance_threshold", PLAIN.relevance_threshold)),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"The files of the embedding model {folder.name} say something that cannot be: {error}. Export it again."
        ) from error


def graph_of(folder: Path) -> Path:
    """Return the graph: in the folder itself, or in its folder ``onnx``, where published models have it.

    Raises:
        ConfigurationError: There is none.
    """
    for path in (folder / "model.onnx", folder / "onnx" / "model.onnx"):
        if path.is_file():
            return path
    raise ConfigurationError(f"The embedding model {folder.name} has no model.onnx. Export it again.")


def fingerprint(folder: Path) -> str:
    """Return 12 hexadecimal digits that change with any file on which a vector depends. Reads all of them."""
    graph = graph_of(folder)
    # Weights of more than 2 GB are kept beside the graph, in files that begin with its name.
    files = sorted(path for path in graph.parent.glob(f"{graph.name}*") if path.is_file())
    digest = hashlib.sha256()
    for path in [*files, *(folder / name for name in _SAID)]:
        if path.is_file():
            with path.open("rb") as opened:
                digest.update(f"{path.name} {hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def _refuse_other_modules(folder: Path) -> None:
    path = folder / "modules.json"
    modules = _parsed(path) if path.is_file() else []
    names = [str(module.get("type", "")).rpartition(".")[2] for module in modules if isinstance(module, dict)]
    if other := [name for name in names if name not in _MODULES]:
        raise ConfigurationError(
            f"The embedding model {folder.name} has a part that is not done here: {', '.join(other)}. Choose a model of "
            "Transformer, Pooling and Normalize."
        )


def _window(folder: Path) -> int:
    """Return the smallest of what the files name. The tokenizer's own truncation is not asked: exports often have a wrong one."""
    config = _json(folder, "config.json")
    named = [
        _json(folder, "sentence_bert_config.json").get("max_seq_length"),
        _json(folder, "tokenizer_config.json").get("model_max_length"),
        _LONGEST_WINDOW,
    ]
    if positions := config.get("max_position_embeddings"):
        behind = int(config.get("pad_token_id") or 0) + 1 if config.get("model_type") in _POSITIONS_AFTER_PADDING else 0
        named.append(int(positions) - behind)
    elif named[0] is None:
        named.append(PLAIN.window)
    window = min(int(length) for length in named if length)
    if window < _SHORTEST_WINDOW:
        message = f"a window of {window} tokens"
        raise ValueError(message)
    return window


def _pooling(folder: Path) -> Pooling:
    said = _json(folder, "1_Pooling/config.json")
    modes = [name for name, chosen in said.items() if name.startswith("pooling_mode_") and chosen]
    if not modes:
        return "mean"
    if len(modes) > 1 or modes[0] not in _POOLINGS:
        message = f"a pooling other than the mean or the first token ({', '.join(modes)})"
        raise ValueError(message)
    if said.get("include_prompt") is False:
        message = "a pooling that leaves the prompt out"
        raise ValueError(message)
    return _POOLINGS[modes[0]]


def _share(value: object) -> float:
    share = float(str(value))
    if not 0 <= share <= 1:
        message = f"{share} is not between 0 and 1"
        raise ValueError(message)
    return share


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    found = _parsed(path) if path.is_file() else {}
    if not isinstance(found, dict):
        raise ConfigurationError(f"{name} of the embedding model {folder.name} cannot be read. Export the model again.")
    return found


def _parsed(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} of an embedding model cannot be read: {path}. Export the model again.") from error
