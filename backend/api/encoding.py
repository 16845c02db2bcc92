"""Events as they are sent."""

from collections.abc import Sequence
from typing import assert_never

import orjson

from backend.schemas.chat import OutcomeOut, SourceOut
from backend.services.answering.events import FOUND, STARTED, Delta, Done, Event, Failed, Found, Started


class EventEncoder:
    """Encodes the events of a turn in their order, from the one after this number. Deltas that have piled up become one."""

    def __init__(self, after: int = 0) -> None:
        self._number = max(after, FOUND)

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the events as they are sent; their ids are their numbers."""
        portions: list[bytes] = []
        spoken: list[str] = []
        for event in events:
            if isinstance(event, Delta):
                spoken.append(event.text)
            else:
                portions += self._spoken(spoken)
                spoken.clear()
                portions.append(encoded_event(_NAMES[type(event)], self._number_of(event), _data(event)))
        return b"".join(portions + self._spoken(spoken))

    def _spoken(self, spoken: Sequence[str]) -> list[bytes]:
        if not spoken:
            return []
        text = "".join(spoken)
        self._number += len(text)
        return [encoded_event(b"delta", self._number, {"text": text})]

    def _number_of(self, event: Event) -> int:
        match event:
            case Started():
                return STARTED
            case Found():
                return FOUND
            case _:
                return self._number + 1


_NAMES: dict[type, bytes] = {Started: b"run", Found: b"sources", Done: b"done", Failed: b"error"}


def _data(event: Started | Found | Done | Failed) -> object:
    match event:
        case Started():
            return {"session_id": event.session_id, "message_id": event.message_id}
        case Found():
            return {"sources": [SourceOut.model_validate(source).model_dump(mode="json") for source in event.sources]}
        case Done():
            return OutcomeOut.model_validate(event.answer).model_dump(mode="json")
        case Failed():
            return {"code": event.error.code, "message": event.error.message}
        case _:
            assert_never(event)


# They end no line in SSE, but do for the many clients that split text where Unicode says (Python's ``splitlines``, httpx).
_LINE_ENDS = ((b"\xc2\x85", rb"\u0085"), (b"\xe2\x80\xa8", rb"\u2028"), (b"\xe2\x80\xa9", rb"\u2029"))


def encoded_event(name: bytes, number: int, data: object) -> bytes:
    """Return an event as it is sent. Its data is JSON in one line, whatever a client takes for the end of one."""
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name, number, in_one_line(orjson.dumps(data, default=str)))


def in_one_line(encoded: bytes) -> bytes:
    """Return JSON without what a client may take for the end of a line."""
    for raw, escaped in _LINE_ENDS:
        encoded = encoded.replace(raw, escaped)
    return encoded
