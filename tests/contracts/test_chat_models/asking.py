"""Asking a provider, and what came of it."""

from backend.core.errors import DocentError
from backend.ports.chat_model import ChatModel, Generation, Piece, Prompt, Turn
from tests.support.ollama import CHAT_MODEL

MODEL = CHAT_MODEL.name
PROMPT = Prompt((Turn("system", "Be brief."), Turn("user", "Hello?")), "Hello?")
OPTIONS = Generation(MODEL, window=4096)


async def pieces(model: ChatModel, options: Generation = OPTIONS, prompt: Prompt = PROMPT) -> list[Piece]:
    return [piece async for piece in model.stream(prompt, options)]


async def asked(model: ChatModel, *, name: str = MODEL, question: str = "Hello?") -> tuple[str, DocentError | None]:
    """Return the text that came out, and the error that ended it."""
    text = ""
    try:
        async for piece in model.stream(Prompt((Turn("user", question),), question), Generation(name, window=4096)):
            text += piece.text
    except DocentError as error:
        return text, error
    return text, None
