"""A question that the model is rewriting when its client leaves."""

import asyncio

import pytest

from tests.api.test_streams.streaming import asking, new_session, stored
from tests.support.files import WHALES
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_during_the_rewriting_frees_the_model(
    alice: Account, ollama: StandInOllama, stream: bool
) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    assert (await alice.settled(document))["status"] == "ready"
    session = await new_session(alice)
    await alice.ask("How much krill do blue whales eat?", session_id=session)
    ollama.fail("/api/chat", Fault(hang_after=0))
    opened, dropped = ollama.streams_opened, ollama.streams_dropped

    async with asking(alice, session, stream=stream) as wire:
        async with asyncio.timeout(5):
            while ollama.streams_opened == opened:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        wire.leave()
        await ollama.dropped(dropped + 1, within=1.0)

    message = await stored(alice, session)
    assert ollama.requests[-1].json["options"]["num_predict"] == 96
    assert (message["status"], message["content"], message["answer_status"]) == ("stopped", "", "not_searched")
    assert message["usage"]["rewrite_tokens"] > 100
