"""The models of several providers, listed together."""

import asyncio
from collections.abc import Sequence

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import ModelMissingError, ModelUnavailableError
from backend.ports.chat_model import Generation, ModelDetails, Prompt
from backend.services.providers import Listing, Providers


class Meeting(ScriptedChatModel):
    """Lists its models once another one is listing as well."""

    def __init__(self, name: str, barrier: asyncio.Barrier) -> None:
        super().__init__(provider=name, default_model=f"of-{name}")
        self._barrier = barrier

    async def models(self) -> Sequence[ModelDetails]:
        await self._barrier.wait()
        return await super().models()


async def test_all_are_listed_at_once_and_who_is_silent_is_named() -> None:
    barrier = asyncio.Barrier(2)
    late, down = Meeting("late", asyncio.Barrier(2)), ScriptedChatModel(provider="down")
    down.down = ModelUnavailableError()
    model = Providers(Meeting("a", barrier), [late, down, Meeting("b", barrier)], listing_seconds=0.3)

    listing = await model.listing()

    assert listing == Listing((ModelDetails("of-a", 8192), ModelDetails("b/of-b", 8192)), ("late", "down"))
    with pytest.raises(ModelUnavailableError):
        await Providers(down).models()


async def test_a_model_of_a_provider_that_is_not_set_up_is_told_as_that() -> None:
    first = ScriptedChatModel((ModelMissingError("Pull it."),), default_model="m")
    model = Providers(first)
    first.down = ModelMissingError("Pull it.")
    for name, sentence in (("openai/gpt-5", "The provider openai is not set up here."), ("jane/model", "Pull it.")):
        with pytest.raises(ModelMissingError) as described:
            await model.details(name)
        with pytest.raises(ModelMissingError) as asked:
            async for _ in model.stream(Prompt((), ""), Generation(name, 8192)):
                pass
        assert described.value.message == asked.value.message == sentence
