"""The description of the API (OpenAPI): what holds for many operations, said once."""

from typing import Any

from fastapi import FastAPI

from backend.api.errors import CODES, PROBLEM, problems
from backend.core.errors import RateLimitedError, ScopeMissingError
from backend.schemas.problem import Problem

_OF_BODIES = {
    400: "The body cannot be read: its encoding, its nesting or a number in it is beyond what JSON readers take.",
    408: "The body came too slowly.",
    413: "The body is larger than this server takes.",
}


def add_description(app: FastAPI) -> None:
    """Describe the shape of errors instead of FastAPI's own, and the errors that no single route is the place to name."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            _add_problem(schema["components"]["schemas"])
            for operation in (operation for path in schema["paths"].values() for operation in path.values()):
                _complete(operation)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the description


def _add_problem(schemas: dict[str, Any]) -> None:
    definition = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(definition.pop("$defs"))
    schemas["Problem"] = definition
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "422" in responses:
        responses["422"]["content"] = _CONTENT
    if "security" in operation:
        for status, response in problems(RateLimitedError, ScopeMissingError).items():
            responses.setdefault(str(status), response)
    if "requestBody" in operation:
        for number, sentence in _OF_BODIES.items():
            responses.setdefault(str(number), {"description": f"`{CODES[number]}`: {sentence}", "content": _CONTENT})


_CONTENT = {"application/problem+json": {"schema": PROBLEM}}
