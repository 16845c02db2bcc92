"""What is asked of Ollama."""

from typing import Any

from backend.ports.chat_model import Generation, Prompt


def request_for(prompt: Prompt, options: Generation, *, keep_alive: str | int | None) -> tuple[str, dict[str, Any]]:
    """Return the path and the body for a prompt.

    It must not be cut: ``truncate`` and ``shift`` are off.
    """
    wishes = {
        "num_predict": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
    }
    body: dict[str, Any] = {
        "model": options.model,
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": options.window} | {name: value for name, value in wishes.items() if value is not None},
    }
    if keep_alive is not None:
        body["keep_alive"] = keep_alive
    if prompt.infill is not None:
        return "/api/generate", body | {"prompt": prompt.infill.prefix, "suffix": prompt.infill.suffix}
    if options.shape is not None:
        body["format"] = dict(options.shape) or "json"
    if options.think is False:
        # The other way round is not asked for: to a model that cannot reason it is an error, and one that can does.
        body["think"] = False
    body["messages"] = [{"role": turn.role, "content": turn.content} for turn in prompt.turns]
    return "/api/chat", body
