"""Language models behind OpenAI's wire format, whoever serves them."""

from backend.adapters.chat_models.openai_compatible.model import OpenAICompatibleChatModel
from backend.adapters.chat_models.openai_compatible.presets import PRESETS, Preset, preset_for

__all__ = ["PRESETS", "OpenAICompatibleChatModel", "Preset", "preset_for"]
