"""What is particular about each server of OpenAI's wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Preset:
    """A server. ``limit`` is the field that bounds a reply, ``infill`` how a gap is filled, if it can be.

    ``no_thinking`` is sent along where a model that reasons is asked not to. ``families`` says whether OpenAI's own names of models
    mean OpenAI's models there. ``key`` names the setting that holds the key, for sentences.
    """

    provider: str
    base_url: str
    key: str
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    infill: Literal["none", "suffix", "llamacpp"] = "none"
    no_thinking: Mapping[str, object] = field(default_factory=dict)
    families: bool = False


# The chat templates of models that reason by choice (Qwen 3 and its like) read this; the others ignore it.
_TEMPLATE_SWITCH: Final = {"chat_template_kwargs": {"enable_thinking": False}}
_OPENAI_HOST: Final = "api.openai.com"

PRESETS: Final = {
    preset.provider: preset
    for preset in (
        Preset("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", limit="max_completion_tokens", families=True),
        Preset("vllm", "http://127.0.0.1:8000/v1", "VLLM_API_KEY", no_thinking=_TEMPLATE_SWITCH),
        Preset("llamacpp", "http://127.0.0.1:8080/v1", "LLAMACPP_API_KEY", infill="llamacpp", no_thinking=_TEMPLATE_SWITCH),
        Preset("huggingface", "https://router.huggingface.co/v1", "HUGGINGFACE_API_KEY"),
    )
}


def preset_for(provider: str, base_url: str | None = None) -> Preset:
    """Return the preset of a provider at an address, by default its own.

    ``openai`` at another host is somebody else's server: it takes the older names of fields, which all of them know.
    """
    preset = PRESETS[provider]
    if base_url is None:
        return preset
    if provider == "openai" and urlsplit(base_url).hostname != _OPENAI_HOST:
        return Preset("openai", base_url, preset.key, infill="suffix")
    return replace(preset, base_url=base_url)
