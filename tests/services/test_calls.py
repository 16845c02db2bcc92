"""Cancelling the calls of agents, in this process and in others."""

import asyncio
from contextlib import ExitStack

from backend.core.ids import new_id
from backend.services.calls import RequestId
from tests.conftest import ApplicationFactory


async def test_a_call_is_cancelled_from_another_process_by_nobody_but_its_owner(application: ApplicationFactory) -> None:
    alice, bob = new_id(), new_id()
    cancelled, again = asyncio.Event(), 0.25  # The listener connects meanwhile, and has not heard what was said before.
    async with application() as there, application() as here, there.listener.running():
        with there.services.calls.running(alice, "window", 7, cancelled.set):
            async with asyncio.timeout(60):
                with there.services.calls.running(alice, "first", 1, (heard := asyncio.Event()).set):
                    while not heard.is_set():
                        await here.services.calls.cancel(alice, "first", 1)
                        await asyncio.wait({waiting := asyncio.ensure_future(heard.wait())}, timeout=again)
                        waiting.cancel()
                # What is said later arrives later: the last one is heard, so the others were, and did nothing.
                others: list[tuple[str, RequestId]] = [("window", "7"), ("window", 8), ("wind", 7), ("", 7)]
                await here.services.calls.cancel(bob, "window", 7)
                for session, request_id in others:
                    await here.services.calls.cancel(alice, session, request_id)
                with there.services.calls.running(bob, "last", 1, (last := asyncio.Event()).set):
                    await here.services.calls.cancel(bob, "last", 1)
                    await last.wait()
                assert not cancelled.is_set()

                await here.services.calls.cancel(alice, "window", 7)
                await cancelled.wait()


async def test_of_two_calls_with_one_name_the_later_one_is_cancelled_and_what_is_over_is_let_be(
    application: ApplicationFactory,
) -> None:
    async with application() as app:
        alice, said, calls = new_id(), list[str](), app.services.calls
        with ExitStack() as later:
            with calls.running(alice, "window", 7, lambda: said.append("first")):
                later.enter_context(calls.running(alice, "window", 7, lambda: said.append("second")))
            await calls.cancel(alice, "window", 7)
        await calls.cancel(alice, "window", 7)

    assert said == ["second"]
