"""JSON objects, as the parts of streams carry them."""

from typing import Any

import orjson

from backend.adapters.wire.failures import WireError


def json_object(data: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object; ``what`` names in the log what it was to be, such as ``a line``.

    Raises:
        WireError: It is something else.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise WireError(f"{what} that is not JSON: {data[:200]!r}") from error
    if not isinstance(value, dict):
        raise WireError(f"{what} that is not a JSON object: {data[:200]!r}")
    return value
