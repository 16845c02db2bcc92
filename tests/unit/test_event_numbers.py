"""Whoever has read up to an event gets the rest, however the text is cut into deltas, then and now."""

from itertools import pairwise
from uuid import UUID

from backend.api.encoding import EventEncoder
from backend.core.errors import AnswerCutError
from backend.services.answering.events import Delta, Event, Failed, Found, Rest, Started

TEXT = "né 🐋\u2028end"
BEGIN: list[Event] = [Started(UUID(int=1), UUID(int=2)), Found(())]
END = Failed(AnswerCutError())


def cut(*places: int) -> list[Event]:
    return [*BEGIN, *(Delta(TEXT[start:end]) for start, end in pairwise((0, *places, len(TEXT)))), END]


def spoken(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_the_rest_after_any_number_is_what_is_missing_whatever_portions_it_comes_in() -> None:
    for events in (cut(), cut(1), cut(3, 4), cut(*range(1, len(TEXT)))):
        for after in range(2 + len(TEXT) + 5):
            rest = Rest(after)
            got = [event for each in events for event in rest.of([each])]
            assert got == Rest(after).of(events)
            assert spoken(got) == TEXT[max(after - 2, 0) :]
            assert [type(event) for event in got if not isinstance(event, Delta)] == [Started, Found, Failed][min(after, 2) :]


def test_events_are_numbered_alike_wherever_one_begins() -> None:
    def ids(data: bytes) -> list[int]:
        return [int(line.removeprefix(b"id: ")) for line in data.split(b"\n") if line.startswith(b"id: ")]

    events = cut(3, 4)
    encoder = EventEncoder()
    assert [ids(encoder.encode([event])) for event in events] == [[1], [2], [5], [6], [10], [11]]
    assert ids(EventEncoder().encode(events)) == [1, 2, 10, 11], "deltas that have piled up are one"
    for after in range(11):
        assert ids(EventEncoder(after).encode(Rest(after).of(events)))[-1] == 11
