import asyncio

import pytest

from backend.services.answering.events import Delta, Event
from backend.services.channel import LIMIT, Channel, Reader

A, B, C = (Delta(text) for text in "abc")


async def test_the_reader_takes_all_that_waits_in_order() -> None:
    channel: Channel[Event] = Channel()
    reader = Reader(channel)
    channel.push(A)
    channel.push(B)

    assert await reader.take() == [A, B]
    channel.push(C)
    channel.close()
    assert await reader.take() == [C]
    assert await reader.take() == []
    assert await reader.take() == []


async def test_a_waiting_reader_is_woken_by_an_event_and_by_the_end() -> None:
    channel: Channel[Event] = Channel()
    reader = Reader(channel)
    for expected in ([A], []):
        taking = asyncio.create_task(reader.take())
        await asyncio.sleep(0)
        assert not taking.done()
        if expected:
            channel.push(A)
        else:
            channel.close()
        async with asyncio.timeout(30):
            assert await taking == expected


async def test_a_reader_that_was_cancelled_while_it_waited_loses_nothing() -> None:
    channel: Channel[Event] = Channel()
    reader = Reader(channel)
    taking = asyncio.create_task(reader.take())
    await asyncio.sleep(0)
    channel.push(A)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking

    assert await reader.take() == [A]


async def test_a_full_channel_holds_the_writer_until_somebody_reads() -> None:
    channel: Channel[Event] = Channel()
    reader = Reader(channel)
    await channel.room()
    for _ in range(LIMIT):
        assert not channel.full
        channel.push(A)

    writer = asyncio.create_task(channel.room())
    await asyncio.sleep(0)
    assert (channel.full, writer.done()) == (True, False)

    assert len(await reader.take()) == LIMIT
    async with asyncio.timeout(30):
        await writer
    assert not channel.full


async def test_an_abandoned_channel_frees_its_writer_and_keeps_nothing() -> None:
    channel: Channel[Event] = Channel()
    reader = Reader(channel)
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
    assert await reader.take() == []


async def test_a_channel_that_keeps_its_events_has_any_number_of_readers_and_waits_for_none() -> None:
    channel: Channel[Event] = Channel(keeps=True)
    early, late = Reader(channel), Reader(channel)
    for _ in range(LIMIT):
        channel.push(A)
    assert (len(await early.take()), channel.full) == (LIMIT, False)
    waiting = [asyncio.create_task(early.take()) for _ in range(2)]
    await asyncio.sleep(0)
    channel.push(B)
    channel.close()

    async with asyncio.timeout(1):
        assert [await taking for taking in waiting] == [[B], [B]]
    assert len(await late.take()) == LIMIT + 1
    assert (await late.take(), await late.take()) == ([], [])
