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
    """A value of an operation: where it goes, its name or its way through the body, and what is said about it.

    A value that may have several forms is a place for each; ``others`` are the types of the other forms.
    """

    where: str
    way: tuple[str | int, ...]
    schema: Schema
    nullable: bool
    others: frozenset[str] = frozenset()

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
        for depth, (step, following) in enumerate(pairwise(way), start=1):
            held = holder.get(step) if isinstance(holder, dict) else holder[step]
            kind = "array" if isinstance(following, int) else "object"
            if not held or not isinstance(held, list if kind == "array" else dict):
                holder[step] = self._made(way[:depth], kind)
            holder = holder[step]
        holder[way[-1]] = MARK
        return body

    def _made(self, way: tuple[str | int, ...], kind: str) -> Any:
        """Return what can hold something: an array of one, or an object."""
        schema = next(place.schema for place in self.places if place.way == way and place.schema.get("type") == kind)
        return [sample(schema["items"])] if kind == "array" else sample(schema)


def operations(description: Schema) -> Iterator[Operation]:
    """Yield every operation."""
    for path, methods in description["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {})
            kind, schema = next(((kind, media["schema"]) for kind, media in content.items()), (None, None))
            resolved = None if schema is None else _resolved(schema, description)
            places = [
                place
                for parameter in told.get("parameters", ())
                for place in _places(parameter["in"], (parameter["name"],), _resolved(parameter["schema"], description))
            ]
            if resolved is not None:
                where = "body" if kind == "application/json" else "form"
                places += [place for way, found in _within(resolved) for place in _places(where, way, found)]
            body = None if resolved is None else sample(resolved)
            yield Operation(told["operationId"], method.upper(), path, "security" in told, tuple(places), kind, body)


def sample(schema: Schema) -> Any:
    """Return a value that the schema allows: of an object, what is required."""
    schema = _forms(schema)[0][0]
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


def _forms(schema: Schema) -> tuple[list[Schema], bool]:
    """Return the schemas of a value that is there, one for each form that it may have, and whether null is one too."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices is None or "type" in schema:
        return [schema], schema.get("type") == "null"
    inner = [_forms(choice) for choice in choices]
    there = [form for forms, _ in inner for form in forms if form.get("type") != "null"]
    assert len({form["type"] for form in there}) == len(there), f"forms of one type cannot be told apart: {choices}"
    return there, any(nullable for _, nullable in inner)


def _places(where: str, way: tuple[str | int, ...], schema: Schema) -> Iterator[Place]:
    forms, nullable = _forms(schema)
    for form in forms:
        yield Place(where, way, form, nullable, frozenset(other["type"] for other in forms if other is not form))


def _within(schema: Schema, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Schema]]:
    """Yield a schema and all that it holds."""
    yield way, schema
    for form in _forms(schema)[0]:
        for name, inner in form.get("properties", {}).items():
            yield from _within(inner, (*way, name))
        if isinstance(form.get("items"), dict):
            yield from _within(form["items"], (*way, 0))


def _resolved(schema: Any, description: Schema) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _resolved(description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], description)
        # A constant is a choice of one.
        named = {"enum" if key == "const" else key: [value] if key == "const" else value for key, value in schema.items()}
        return {key: _resolved(value, description) for key, value in named.items()}
    return [_resolved(value, description) for value in schema] if isinstance(schema, list) else schema
