"""The description of the API as makers of clients get it: committed, named, with examples, and the same for everybody."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from pydantic import BaseModel

import backend.schemas
from backend.api.description import TAGS
from backend.api.examples import EXAMPLES
from tests.support.description import COMMITTED, description

HOW = "docs/openapi.json is not what the routes say. Write it anew with: make openapi"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(description())
    return found


def objects(value: object, place: str = "") -> Iterator[str]:
    """The places of objects that have members but no name."""
    if isinstance(value, dict):
        if "properties" in value:
            yield place
        for name, inner in value.items():
            yield from objects(inner, f"{place} {name}")
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner, place)


def test_the_committed_description_is_what_the_routes_say() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == description(), HOW


def test_every_tag_that_is_used_says_what_it_is_about(described: dict[str, Any]) -> None:
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    used = {tag for operation in operations for tag in operation.get("tags", ["(none)"])}

    assert used - TAGS.keys() == set(), "Say in TAGS of backend/api/description.py what these are about."
    assert [tag["name"] for tag in described["tags"]] == [name for name in TAGS if name in used]
    assert all(re.fullmatch(r"[A-Z].+\.", tag["description"]) for tag in described["tags"])
    assert described["servers"][0]["url"] == "/"


def test_generated_clients_get_readable_names(described: dict[str, Any]) -> None:
    ids = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]

    assert [name for name in ids if not re.fullmatch(r"[a-z]+(?:_[a-z]+)*", name)] == []
    assert len(set(ids)) == len(ids)
    assert [name for name in described["components"]["schemas"] if not re.fullmatch(r"(?:[A-Z][a-z]*)+", name)] == []
    assert list(described["components"]["schemas"]) == sorted(described["components"]["schemas"])
    assert list(objects(described["paths"])) == [], "Give each of these a title: it becomes the name of a schema."


def test_the_examples_are_what_their_schemas_allow(described: dict[str, Any]) -> None:
    modules = [import_module(f"backend.schemas.{part.name}") for part in iter_modules(backend.schemas.__path__)]
    classes = {name: kind for module in modules for name, kind in vars(module).items() if isinstance(kind, type)}

    for name, example in EXAMPLES.items():
        assert described["components"]["schemas"][name]["examples"] == [example]
        kind = classes[name]
        assert issubclass(kind, BaseModel)
        assert set(kind.model_validate_json(json.dumps(example)).model_dump(mode="json", exclude_unset=True)) == set(example)
