"""What servers tell of their models, each in its own words."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from backend.adapters.chat_models.openai_compatible.families import family_of, guessed_capabilities
from backend.adapters.chat_models.openai_compatible.presets import Preset
from backend.adapters.wire.failures import WireError
from backend.ports.chat_model import Capability, ModelDetails

UNTOLD_WINDOW: Final = 8192
"""What a model is run with of which nobody says how much it can read: nearly all of today's can read this."""

# vLLM; LM Studio; OpenRouter and others; Groq; Mistral.
_WINDOWS: Final = ("max_model_len", "loaded_context_length", "context_length", "context_window", "max_context_length")


def entries_of(body: bytes) -> list[Mapping[str, Any]]:
    """Return the entries of an answer to ``/models``: ``{"data": [...]}``, or the list itself (Together, GitHub).

    Raises:
        WireError: It is neither.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WireError(f"not JSON: {body[:200]!r}") from error
    entries = value.get("data") or [] if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise WireError(f"no list of models: {body[:200]!r}")
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("id")]


def described(preset: Preset, entry: Mapping[str, Any], *, window: int | None, running: int | None = None) -> ModelDetails:
    """Return what an entry of ``/models`` says, with what else is known of the model.

    ``window`` is the operator's setting, and ``running`` what the server says of itself. The smallest of what is known counts, and
    nothing larger is made up.
    """
    name = str(entry["id"])
    family = family_of(name) if preset.families else None
    told = running or _told_window(entry) or (family.window if family is not None else None)
    meta = entry.get("meta") if isinstance(entry.get("meta"), dict) else {}
    trained = _number((meta or {}).get("n_ctx_train"))
    untold = window or min(UNTOLD_WINDOW, trained or UNTOLD_WINDOW)
    context = min(told, window or told) if told is not None else untold
    return ModelDetails(
        name,
        context,
        size=_number((meta or {}).get("size")),
        capabilities=family.capabilities if family is not None else _capabilities(preset, entry),
        parameters=_in_words(_number((meta or {}).get("n_params"))),
    )


def _capabilities(preset: Preset, entry: Mapping[str, Any]) -> frozenset[Capability]:
    found: set[Capability] = set(guessed_capabilities(str(entry["id"]), fills=preset.infill != "none"))
    if "chat" in found:
        # Hugging Face's router and OpenRouter describe what a model reads; the router also who of its servers knows tools.
        architecture = entry.get("architecture")
        read = architecture.get("input_modalities") if isinstance(architecture, dict) else None
        if isinstance(read, list) and "image" in read:
            found.add("vision")
        if any(server.get("supports_tools") is True for server in _servers(entry)):
            found.add("tools")
    return frozenset(found)


def _told_window(entry: Mapping[str, Any]) -> int | None:
    for name in _WINDOWS:
        if (told := _number(entry.get(name))) is not None:
            return told
    # Hugging Face's router chooses among its servers, so that only the smallest window is certain.
    return min((told for server in _servers(entry) if (told := _number(server.get("context_length"))) is not None), default=None)


def _servers(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    servers = entry.get("providers")
    return [server for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _in_words(parameters: int | None) -> str | None:
    if parameters is None:
        return None
    return f"{parameters / 1e9:.1f}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"
