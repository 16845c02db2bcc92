"""What openapi.json says about operations, and every place in them where an id can be sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# They hold an id without saying so: cursors name the last item, tokens the row that they belong to, and keys name a request.
CARRIERS = frozenset({"cursor", "Idempotency-Key", "refresh_token", "token"})
# OAuth's name for the program that signs in; it names nothing of ours and is not read.
NAMES_NOTHING = frozenset({"client_id"})


@dataclass(frozen=True, slots=True)
class Position:
    """A place for an id: ``path.session_id``, ``query.cursor``, or ``body.document_ids[]`` for one of a list."""

    where: str
    name: str

    def __str__(self) -> str:
        return f"{self.where}.{self.name}"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API."""

    id: str
    method: str
    path: str
    secured: bool
    positions: tuple[Position, ...]


def operations(description: dict[str, Any]) -> dict[str, Operation]:
    """Return all operations by their ids."""
    found = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            positions = tuple(dict.fromkeys(_positions(description, operation)))
            secured = bool(operation.get("security"))
            found[operation["operationId"]] = Operation(operation["operationId"], method.upper(), path, secured, positions)
    return found


def _positions(description: dict[str, Any], operation: dict[str, Any]) -> Iterator[Position]:
    for parameter in operation.get("parameters", ()):
        for place in _places(description, parameter["schema"], parameter["name"]):
            yield Position(parameter["in"], place)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for place in _places(description, content["schema"], ""):
            yield Position("body", place)


def _places(description: dict[str, Any], schema: Any, name: str, outer: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the places for ids in a schema, whatever it nests: references, choices, objects, lists and maps."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        reference = schema["$ref"].rpartition("/")[2]
        if reference in outer:
            return
        yield from _places(description, description["components"]["schemas"][reference], name, (*outer, reference))
    if schema.get("format") == "uuid" or (schema.get("type") == "string" and _is_called_an_id(name)):
        yield name
    for inner, place in _inside(schema, name):
        yield from _places(description, inner, place, outer)


def _inside(schema: dict[str, Any], name: str) -> Iterator[tuple[Any, str]]:
    for choice in ("anyOf", "oneOf", "allOf"):
        yield from ((inner, name) for inner in schema.get(choice, ()))
    dotted = f"{name}." if name else ""
    yield from ((inner, f"{dotted}{key}") for key, inner in schema.get("properties", {}).items())
    yield from ((inner, f"{name}[]") for inner in (schema.get("items"), *schema.get("prefixItems", ())))
    yield schema.get("additionalProperties"), f"{dotted}*"


def _is_called_an_id(name: str) -> bool:
    """A text that is called an id is one, even if nobody has said that it is a UUID."""
    last = name.rpartition(".")[2].removesuffix("[]")
    return last in CARRIERS or last == "id" or (last.endswith(("_id", "_ids")) and last not in NAMES_NOTHING)
