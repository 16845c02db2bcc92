"""Asking a server of OpenAI's wire format."""

from typing import Any

from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel, preset_for
from backend.core.errors import DocentError
from backend.ports.chat_model import Generation, Piece, Prompt, Turn
from tests.support.ollama import CHAT_MODEL, Fault, StandInOllama

MODEL = CHAT_MODEL.name
CHAT = "/v1/chat/completions"
PROMPT = Prompt((Turn("user", "Hello?"),), "Hello?")
OPTIONS = Generation(MODEL, window=4096)


def named(server: StandInOllama, provider: str = "openai", **arguments: Any) -> OpenAICompatibleChatModel:
    return OpenAICompatibleChatModel(preset_for(provider, f"{server.url}/v1"), default_model=MODEL, **arguments)


async def asked(
    model: OpenAICompatibleChatModel, options: Generation = OPTIONS, prompt: Prompt = PROMPT
) -> tuple[list[Piece], DocentError | None]:
    out: list[Piece] = []
    try:
        async for piece in model.stream(prompt, options):
            out.append(piece)  # noqa: PERF401 - what came before an error counts
    except DocentError as error:
        return out, error
    return out, None


def streamed(*events: str) -> Fault:
    return Fault(status=200, body="".join(f"{event}\n\n" for event in events).encode())
