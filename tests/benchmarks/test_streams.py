"""What is measured of streams is what was sent: answers are whole, whatever their length."""

import pytest

from benchmarks.processes import running
from benchmarks.streams.__main__ import post
from benchmarks.streams.client import Target, ask_at_once
from benchmarks.streams.model import NAME, done


@pytest.mark.parametrize("said", [7, 40, 200, 1000])
def test_the_last_line_is_as_long_as_it_says(said: int) -> None:
    length, line, rest = done(said).split(b"\r\n")

    assert (int(length, 16), rest) == (len(line), b"")


async def test_whoever_has_been_answered_asks_again_on_the_same_connection() -> None:
    async with (
        running("benchmarks.streams.model", "3") as model,
        running("benchmarks.streams.passthrough", f"http://127.0.0.1:{model.port}") as relay,
    ):
        body = {"model": NAME, "messages": [{"role": "user", "content": "Well?"}], "stream": True}
        target = Target("relay", relay.port, (post("/api/chat", relay.port, body),), b'"done":true')

        seen = await ask_at_once(target, 2, warm_up=0.0, seconds=2.0, tokens=3)

    assert seen.failures == []
    assert seen.asked > 2
    assert len(seen.firsts) > 2
    assert len(seen.lags) >= 2 * len(seen.firsts)
