"""Server-sent events, read as they come."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ui.client.errors import unreadable


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its data, and the id after which a stream goes on."""

    name: str
    data: dict[str, Any]
    id: str | None = None


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a stream of lines; comments keep a line alive and say nothing.

    Raises:
        ApiError: One cannot be read.
    """
    name = "message"
    data: list[str] = []
    last: str | None = None
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "" and data:
            yield Event(name, _read("\n".join(data)), last)
        if line == "":
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last = value


def _read(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise unreadable()
    return found
