"""What is asked of the server."""

from collections.abc import Mapping
from typing import Any

from backend.adapters.chat_models.openai_compatible.families import family_of
from backend.adapters.chat_models.openai_compatible.presets import Preset
from backend.ports.chat_model import Generation, Infill, Prompt


def request_for(preset: Preset, prompt: Prompt, options: Generation) -> tuple[str, dict[str, Any]]:
    """Return the address and the body for a prompt."""
    if prompt.infill is not None and preset.infill == "llamacpp":
        # Not under /v1: it is llama.cpp's own, and knows the model's tokens for the gap.
        return f"{preset.base_url.removesuffix('/v1')}/infill", _llamacpp_infill(prompt.infill, options)
    body: dict[str, Any] = {"model": options.model, "stream": True, "stream_options": {"include_usage": True}}
    family = family_of(options.model) if preset.families else None
    reasons = family is not None and family.least_effort is not None
    # Models that always reason refuse the first two, whatever the value.
    wishes = {
        "temperature": None if reasons else options.temperature,
        "top_p": None if reasons else options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
        preset.limit: options.max_tokens,
    }
    body |= {name: value for name, value in wishes.items() if value is not None}
    if prompt.infill is not None and preset.infill == "suffix":
        return f"{preset.base_url}/completions", {**body, "prompt": prompt.infill.prefix, "suffix": prompt.infill.suffix}
    if options.shape is not None:
        body["response_format"] = _format(options.shape)
    if options.think is False:
        body |= {"reasoning_effort": family.least_effort} if family is not None and reasons else preset.no_thinking
    body["messages"] = [{"role": turn.role, "content": turn.content} for turn in prompt.turns]
    return f"{preset.base_url}/chat/completions", body


def _format(shape: Mapping[str, object]) -> dict[str, object]:
    # Not strict: OpenAI then takes a part of JSON Schema only, and refuses the rest.
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": dict(shape)}} if shape else {"type": "json_object"}


def _llamacpp_infill(gap: Infill, options: Generation) -> dict[str, Any]:
    body: dict[str, Any] = {"model": options.model, "input_prefix": gap.prefix, "input_suffix": gap.suffix, "stream": True}
    wishes = {
        "n_predict": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
    }
    return body | {name: value for name, value in wishes.items() if value is not None}
