"""The description of the API (OpenAPI): what holds for many operations, said once."""

from typing import Any

from fastapi import FastAPI

from backend.api.errors import CODES, OPENAI_CONTENT, PROBLEM_CONTENT, problems
from backend.api.examples import EXAMPLES
from backend.api.openai_errors import speaks_openai
from backend.core.errors import RateLimitedError, ScopeMissingError
from backend.schemas.openai.errors import OpenAIError
from backend.schemas.problem import Problem

SERVERS = [{"url": "/", "description": "The server that this description comes from."}]
TAGS = {
    "health": "The state of the system. No credential is needed.",
    "auth": "Accounts and sign-ins: open one, sign in, change it, take everything along, delete it.",
    "keys": "API keys for programs, with scopes.",
    "users": "Accounts, for administrators.",
    "admin": "What else only administrators see and do.",
    "chat": "Questions about the caller's documents, and answers with sources that can be checked.",
    "documents": "The caller's files: upload, progress, text, versions.",
    "sessions": "Conversations and their messages.",
    "ai": "Language models: which there are, and what they write without documents.",
    "openai": "OpenAI's API, for programs that speak it.",
}
"""What the operations of each tag are about, in the order in which they are shown."""

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
            schemas = schema["components"]["schemas"]
            _add_errors(schemas)
            operations = [(path, operation) for path, methods in schema["paths"].items() for operation in methods.values()]
            for path, operation in operations:
                _complete(operation, openai=speaks_openai(path))
                _name_shapes(operation, schemas)
            for name in schemas.keys() & EXAMPLES.keys():
                schemas[name]["examples"] = [EXAMPLES[name]]
            schema["components"]["schemas"] = dict(sorted(schemas.items()))
            used = {tag for _, operation in operations for tag in operation.get("tags", ())}
            schema["tags"] = [{"name": name, "description": about} for name, about in TAGS.items() if name in used]
            schema["servers"] = SERVERS
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


def _name_shapes(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Move objects that have a title to the named ones: from a name, generated clients make a class with that name.

    Forms that FastAPI names after itself (``Body_issue_token``) are named after their operation (``IssueTokenForm``).
    """
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for content in (
        content for told in (*bodies, *operation["responses"].values()) for content in told.get("content", {}).values()
    ):
        shape = content.get("schema", {})
        if shape.get("$ref", "").startswith(_FASTAPI_FORM):
            name = shape["$ref"].removeprefix(_FASTAPI_FORM).title().replace("_", "") + "Form"
            shape = {**schemas.pop(shape["$ref"].rpartition("/")[2]), "title": name}
        elif "properties" not in shape or "title" not in shape:
            continue
        schemas[shape["title"]] = shape
        content["schema"] = {"$ref": f"#/components/schemas/{shape['title']}"}


_FASTAPI_FORM = "#/components/schemas/Body_"
