"""The list of models in this process: what a running product would have to be broken for."""

import openai
import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import ModelUnavailableError
from tests.api.test_openai.test_in_process import door
from tests.conftest import ApplicationFactory


async def test_a_provider_that_is_down_is_a_503(application: ApplicationFactory) -> None:
    model = ScriptedChatModel(writes=True)
    model.down = ModelUnavailableError()
    async with door(application, model) as opened:
        with pytest.raises(openai.InternalServerError) as refused:
            await opened.client.models.list()

    assert (refused.value.status_code, refused.value.code) == (503, "model_unavailable")
