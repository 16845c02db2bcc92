"""The description of the API (OpenAPI): what holds for many operations, said once."""

from typing import Any

from fastapi import FastAPI

from backend.api.errors import CODES, OPENAI_CONTENT, PROBLEM_CONTENT, problems
from backend.api.openai_errors import speaks_openai
from backend.core.errors import RateLimitedError, ScopeMissingError
from backend.schemas.openai.errors import OpenAIError
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
            _add_errors(schema["components"]["schemas"])
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _complete(operation, openai=speaks_openai(path))
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the description


def _add_errors(schemas: dict[str, Any]) -> None:
    for shape in (Problem, OpenAIError):
        definition = shape.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(definition.pop("$defs"))
        schemas[shape.__name__] = definition
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _complete(operation: dict[str, Any], *, openai: bool) -> None:
    responses, content = operation["responses"], OPENAI_CONTENT if openai else PROBLEM_CONTENT
    if "422" in responses:
        responses["422"]["content"] = content
    if "422" in responses and openai:
        responses.setdefault("400", responses.pop("422"))
    if "security" in operation:
        for number, response in problems(RateLimitedError, ScopeMissingError, openai=openai).items():
            responses.setdefault(str(number), response)
    if "requestBody" in operation:
        for number, sentence in _OF_BODIES.items():
            responses.setdefault(str(number), {"description": f"`{CODES[number]}`: {sentence}", "content": content})
