"""JSON objects that say in words what they lack."""

from typing import Any

from ui.client.errors import unreadable


class Record(dict[str, Any]):
    """An object of the API. A member that should be there and is not makes an ``ApiError`` and not a traceback."""

    def __missing__(self, name: str) -> Any:
        """Raise for a member that the API promises."""
        raise unreadable()


def record(value: Any) -> Record:
    """Return JSON that has to be an object, with records as its objects at every depth.

    Raises:
        ApiError: It is something else.
    """
    try:
        made = _records(value)
    except RecursionError as error:
        raise unreadable() from error
    if not isinstance(made, Record):
        raise unreadable()
    return made


def _records(value: Any) -> Any:
    if isinstance(value, dict):
        return Record({name: _records(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return [_records(inner) for inner in value]
    return value
