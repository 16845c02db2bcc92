"""What is known of models by their names, for servers that tell nothing but names."""

import re
from dataclasses import dataclass
from typing import Final

from backend.ports.chat_model import Capability


@dataclass(frozen=True, slots=True)
class Family:
    """OpenAI's models whose names begin alike. ``window`` is what a prompt may have.

    ``least_effort`` is the smallest ``reasoning_effort`` that a model takes which always reasons; those refuse a temperature.
    """

    window: int
    least_effort: str | None = None
    capabilities: frozenset[Capability] = frozenset({"chat", "tools", "vision"})


_REASONS: Final[frozenset[Capability]] = frozenset({"chat", "tools", "vision", "thinking"})

# Source: OpenAI's pages of its models; the first that fits counts. Of GPT-5's 400,000 tokens a prompt may have 272,000.
_OPENAI: Final = (
    (re.compile(r"gpt-5(\.\d+)?-chat"), Family(128_000)),
    (re.compile(r"gpt-5\.\d"), Family(272_000, "none", _REASONS)),
    (re.compile(r"gpt-5"), Family(272_000, "minimal", _REASONS)),
    (re.compile(r"o[134](-|$)"), Family(200_000, "low", _REASONS)),
    (re.compile(r"gpt-4\.1"), Family(1_047_576)),
    (re.compile(r"gpt-4o|chatgpt-4o|gpt-4-turbo"), Family(128_000)),
    (re.compile(r"gpt-4"), Family(8192, capabilities=frozenset({"chat", "tools"}))),
    (re.compile(r"gpt-3\.5-turbo"), Family(16_385, capabilities=frozenset({"chat", "tools"}))),
)
_EMBEDS: Final = re.compile(r"embed|(^|[/-])(bge|gte|e5|all-minilm|sfr)-", re.IGNORECASE)
_NEITHER: Final = re.compile(
    r"rerank|whisper|(^|[/-])tts|transcribe|audio|realtime|dall-e|image|sora|moderation|davinci|babbage|-instruct-\d{4}$",
    re.IGNORECASE,
)
_FILLS: Final = re.compile(r"coder|codellama|codestral|codegemma|starcoder|granite-.*code|stable-code", re.IGNORECASE)
_THINKS: Final = re.compile(r"deepseek-r1|(^|[/-])r1(-|$)|qwq|qwen3|thinking|reason|gpt-oss|magistral", re.IGNORECASE)


def family_of(model: str) -> Family | None:
    """Return OpenAI's family of a model; one that was fine-tuned (``ft:...``) is of its base's."""
    name = model.split(":")[1] if model.startswith("ft:") else model
    return next((family for pattern, family in _OPENAI if pattern.match(name)), None)


def guessed_capabilities(model: str, *, fills: bool) -> frozenset[Capability]:
    """Return what a model's name says that it can do: chat, unless it says otherwise. Tools and sight are not guessed."""
    if _EMBEDS.search(model):
        return frozenset({"embedding"})
    if _NEITHER.search(model):
        return frozenset()
    guessed: set[Capability] = {"chat"}
    if fills and _FILLS.search(model):
        guessed.add("insert")
    if _THINKS.search(model):
        guessed.add("thinking")
    return frozenset(guessed)
