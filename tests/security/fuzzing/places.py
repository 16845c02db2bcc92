"""Every place in the API where a client can put a value, as openapi.json describes it."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import uuid4

Schema = dict[str, Any]
MARK = "@@"
"""Stands for the value that is tried."""
_SAMPLES = ("sample", "sample@example.com", "password", " ")


@dataclass(frozen=True, slots=True)
class Place:
    """A value of an operation: where it goes, its name or its way through the body, and what is said about it."""

    where: str
    way: tuple[str | int, ...]
    schema: Schema
    nullable: bool

    def __str__(self) -> str:
        return f"{self.where} {'.'.join(map(str, self.way)) or 'as a whole'}"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with its places, and a body that is right."""

    id: str
    method: str
    path: str
    secured: bool
    places: tuple[Place, ...]
    kind: str | None = None
    body: Any = field(default=None)

    def with_mark(self, way: tuple[str | int, ...]) -> Any:
        """Return the body with the mark at a place; what holds the place is made if need be."""
        if not way:
            return MARK
        body = copy.deepcopy(self.body)
        holder = body
        for step, following in pairwise(way):
            if isinstance(holder, dict) and step not in holder:
                holder[step] = [None] if isinstance(following, int) else {}
            holder = holder[step]
        holder[way[-1]] = MARK
        return body


def operations(description: Schema) -> Iterator[Operation]:
    """Yield every operation."""
    for path, methods in description["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {})
            kind, schema = next(((kind, media["schema"]) for kind, media in content.items()), (None, None))
            resolved = None if schema is None else _resolved(schema, description)
            places = [
                Place(parameter["in"], (parameter["name"],), *_plain(_resolved(parameter["schema"], description)))
                for parameter in told.get("parameters", ())
            ]
            if resolved is not None:
                where = "body" if kind == "application/json" else "form"
                places += [Place(where, way, *_plain(found)) for way, found in _within(resolved)]
            body = None if resolved is None else sample(resolved)
            yield Operation(told["operationId"], method.upper(), path, "security" in told, tuple(places), kind, body)


def sample(schema: Schema) -> Any:
    """Return a value that the schema allows: of an object, what is required."""
    schema, _ = _plain(schema)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [sample(schema["items"]) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return _text(schema)


def _text(schema: Schema) -> str:
    made = {"uuid": str(uuid4()), "date-time": "2999-01-01T00:00:00Z"}.get(schema.get("format", ""))
    if made is not None:
        return made
    pattern, shortest = schema.get("pattern", ""), schema.get("minLength", 0)
    return next(text for text in (f"{start:x<{shortest}}" for start in _SAMPLES) if re.search(pattern, text))


def _plain(schema: Schema) -> tuple[Schema, bool]:
    """Return the schema of a value that is there, and whether null is one too."""
    choices = schema.get("anyOf")
    if choices is None:
        return schema, schema.get("type") == "null"
    there = [choice for choice in choices if choice.get("type") != "null"]
    assert len(there) == 1, f"classes of input know no real choice yet: {choices}"
    return there[0], len(there) < len(choices)


def _within(schema: Schema, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Schema]]:
    """Yield a schema and all that it holds."""
    yield way, schema
    schema, _ = _plain(schema)
    for name, inner in schema.get("properties", {}).items():
        yield from _within(inner, (*way, name))
    if isinstance(schema.get("items"), dict):
        yield from _within(schema["items"], (*way, 0))


def _resolved(schema: Any, description: Schema) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _resolved(description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], description)
        return {key: _resolved(value, description) for key, value in schema.items()}
    return [_resolved(value, description) for value in schema] if isinstance(schema, list) else schema
