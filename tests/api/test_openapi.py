"""The description of the API, from which clients are made."""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx2 import ASGITransport, AsyncClient

import backend.api.routes
from backend.api.errors import TOKEN_PATH
from backend.core.config import Settings
from backend.main import create_app
from tests.support.product import Product

PROBLEM = {"$ref": "#/components/schemas/Problem"}
RESOURCES = {
    "documents": "document_id",
    "keys": "key_id",
    "messages": "message_id",
    "models": "model",
    "sessions": "session_id",
    "tasks": "task_id",
    "sign-ins": "sign_in_id",
    "tiers": "tier",
    "users": "user_id",
}
NAMES = frozenset({"model", "tier"})
"""They are words and no ids."""
# Its errors are RFC 6749's, and the other's 503 is its answer.
OWN_SHAPES = {(TOKEN_PATH, "400"): "OAuthErrorOut", ("/ready", "503"): "ReadyOut"}


@pytest.fixture(scope="module")
async def description(product: Product) -> dict[str, Any]:
    async with product.client() as client:
        found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere_and_every_schema_is_used(description: dict[str, Any]) -> None:
    named = set(references(description))

    assert description["openapi"].startswith("3.1")
    assert named == {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}


def test_operations_are_named_after_their_functions_and_say_what_they_do(description: dict[str, Any]) -> None:
    parts = [import_module(f"backend.api.routes.{part.name}") for part in iter_modules(backend.api.routes.__path__)]
    routes = [route for part in parts for route in part.router.routes]
    functions = sorted(route.endpoint.__name__ for route in routes if isinstance(route, APIRoute) and route.include_in_schema)
    found = [operation for _, _, operation in operations(description)]

    assert sorted(operation["operationId"] for operation in found) == functions
    assert len(set(functions)) == len(functions)
    assert [operation["operationId"] for operation in found if not operation.get("description", "").endswith((".", "`."))] == []


def test_errors_are_documented_as_problems(description: dict[str, Any]) -> None:
    for path, method, operation in operations(description):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            own = OWN_SHAPES.get((path, status), "OpenAIError" if path.startswith("/v1/") else None)
            if own is not None:
                assert response["content"] == {"application/json": {"schema": {"$ref": f"#/components/schemas/{own}"}}}
            else:
                assert response["content"] == {"application/problem+json": {"schema": PROBLEM}}, (path, method, status)
                assert response["description"], (path, method, status)


def test_what_wants_a_token_says_so_and_documents_the_401(description: dict[str, Any]) -> None:
    for path, method, operation in operations(description):
        if "security" in operation:
            assert "token_invalid" in operation["responses"]["401"]["description"], (path, method)
    free = {path for path, _, operation in operations(description) if "security" not in operation}
    doors = {f"/api/v1/auth/{name}" for name in ("register", "token", "login", "refresh", "logout", "reset-password")}
    assert free == {"/", "/health", "/ready", "/services/status", *doors}


def test_path_parameters_are_named_after_their_resources(description: dict[str, Any]) -> None:
    for path, method, operation in operations(description):
        named = re.findall(r"/([a-z-]+)/\{([a-z_]+)\}", path)
        assert [RESOURCES[resource] for resource, _ in named] == [name for _, name in named]
        parameters = [each for each in operation.get("parameters", ()) if each["in"] == "path"]
        found = {each["name"]: each["schema"].get("format") for each in parameters}
        assert found == {name: None if name in NAMES else "uuid" for _, name in named}, (path, method)


async def test_production_describes_nothing_to_strangers() -> None:
    app = create_app(Settings(_env_file=None, environment="production"))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
            assert (await client.get(path)).json()["code"] == "route_not_found"
        assert (await client.get("/")).json()["docs"] is None


async def test_production_describes_itself_when_it_is_asked_to() -> None:
    app = create_app(Settings(_env_file=None, environment="production", docs_enabled=True))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/openapi.json")).status_code == 200
