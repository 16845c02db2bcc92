import asyncio

import pytest

from backend.services.answering.channel import LIMIT, Channel
from backend.services.answering.events import Delta

A, B, C = (Delta(text) for text in "abc")


async def test_the_reader_takes_all_that_waits_in_order() -> None:
    channel = Channel()
    channel.push(A)
    channel.push(B)

    assert await channel.take() == [A, B]
    channel.push(C)
    channel.close()
    assert await channel.take() == [C]
    assert await channel.take() == []
    assert await channel.take() == []


async def test_a_waiting_reader_is_woken_by_an_event_and_by_the_end() -> None:
    channel = Channel()
    for expected in ([A], []):
        reader = asyncio.create_task(channel.take())
        await asyncio.sleep(0)
        assert not reader.done()
        if expected:
            channel.push(A)
        else:
            channel.close()
        async with asyncio.timeout(30):
            assert await reader == expected


async def test_a_reader_that_was_cancelled_while_it_waited_loses_nothing() -> None:
    channel = Channel()
    reader = asyncio.create_task(channel.take())
    await asyncio.sleep(0)
    channel.push(A)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader

    assert await channel.take() == [A]


async def test_a_full_channel_holds_the_writer_until_somebody_reads() -> None:
    channel = Channel()
    await channel.room()
    for _ in range(LIMIT):
        assert not channel.full
        channel.push(A)

    writer = asyncio.create_task(channel.room())
    await asyncio.sleep(0)
    assert (channel.full, writer.done()) == (True, False)

    assert len(await channel.take()) == LIMIT
    async with asyncio.timeout(30):
        await writer
    assert not channel.full


async def test_an_abandoned_channel_frees_its_writer_and_keeps_nothing() -> None:
    channel = Channel()
    for _ in range(LIMIT):
        channel.push(A)
    writer = asyncio.create_task(channel.room())
    await asyncio.sleep(0)

    channel.abandon()

    async with asyncio.timeout(30):
        await writer
    channel.push(B)
    assert not channel.full
    channel.close()
    assert await channel.take() == []
