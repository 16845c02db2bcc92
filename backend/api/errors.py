"""From errors to answers: the one status table, and the shapes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from backend.api.middleware import request_id_of
from backend.api.openai_errors import body_there, code_there, speaks_openai, status_there
from backend.core import errors
from backend.core.metrics import REFUSED
from backend.schemas.openai.forms import FORM
from backend.schemas.problem import Problem

STATUS: dict[type[errors.DocentError], int] = {
    errors.InvalidError: 422,
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.TooLargeError: 413,
    errors.UnsupportedTypeError: 415,
    errors.TooManyError: 429,
    errors.UnavailableError: 503,
    errors.StorageFullError: 507,
    errors.AnswerCutError: 502,
    errors.DocentError: 500,
}
CODES = {
    400: "request_malformed",
    404: "route_not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_too_slow",
    413: "request_too_large",
    415: "media_type_unsupported",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
TOKEN_PATH = "/api/v1/auth/token"  # noqa: S105 - a path, not a secret
SHOWN_DETAILS = frozenset({"accepted", "document_id", "limit", "rejected"})


def status_of(error: type[errors.DocentError]) -> int:
    """Return the HTTP status of an error's kind."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def problems(*kinds: type[errors.DocentError], openai: bool = False) -> dict[int | str, dict[str, Any]]:
    """Describe in OpenAPI which errors a route answers with; with ``openai`` as those under ``/v1`` do."""
    listed: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status = status_there(status_of(kind), kind.code) if openai else status_of(kind)
        sentence = f"`{code_there(kind.code) if openai else kind.code}`: {kind.message}"
        known = listed.setdefault(status, {"content": OPENAI_CONTENT if openai else PROBLEM_CONTENT, "description": ""})
        known["description"] = f"{known['description']}\n\n{sentence}".strip()
    return listed


PROBLEM = {"$ref": "#/components/schemas/Problem"}
PROBLEM_CONTENT = {"application/problem+json": {"schema": PROBLEM}}
OPENAI_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error as a problem (RFC 9457), and at the token endpoint as RFC 6749 says."""
    app.add_exception_handler(errors.DocentError, _docent_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _disconnected)


async def _docent_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.DocentError)  # noqa: S101 - registered for these
    status = status_of(type(error))
    if request.url.path == TOKEN_PATH and isinstance(error, errors.CredentialsInvalidError):
        return _oauth_error("invalid_grant", error.message)
    if isinstance(error, errors.TooManyError):
        REFUSED.add(1, str(error.details.get("limit", "none")))
    headers = retry_after(error)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _response(problem_of(error), headers, request.url.path)


def retry_after(error: errors.DocentError) -> dict[str, str]:
    """Return the header that says when to come again, where the error knows."""
    if isinstance(error, errors.UnavailableError | errors.TooManyError) and error.retry_after_seconds is not None:
        return {"Retry-After": str(max(ceil(error.retry_after_seconds), 1))}
    return {}


def problem_of(error: errors.DocentError) -> Problem:
    """Return an error as it is told, wherever that is."""
    members = {key: value for key, value in error.details.items() if key in SHOWN_DETAILS and value is not None}
    return _problem(status_of(type(error)), code=error.code, detail=error.message, members=members)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these
    found = [
        {"loc": [_shown(part) for part in problem["loc"]], "type": problem["type"], "msg": problem["msg"]}
        for problem in error.errors()[:20]
    ]
    if request.url.path == TOKEN_PATH:
        if any("grant_type" in problem["loc"] for problem in found):
            return _oauth_error("unsupported_grant_type", "The only grant type is `password`.")
        return _oauth_error("invalid_request", "Send the form fields `username` and `password`.")
    detail = "The request is not valid: " + "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in found[:3])
    if speaks_openai(request.url.path):
        places = [_param(problem["loc"]) for problem in found]
        told = "; ".join(f"{place or 'the body'}: {problem['msg']}" for place, problem in zip(places[:3], found, strict=False))
        body = body_there(400, code="request_invalid", message=f"The request is not valid: {told}", param=places[0])
        return Response(body, 400, media_type="application/json")
    return problem_response(422, code="request_invalid", detail=detail, members={"errors": found})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these
    if request.url.path == TOKEN_PATH and error.status_code == 400:
        return _oauth_error("invalid_request", "The form cannot be read.")
    code = CODES.get(error.status_code, f"http_{error.status_code}")
    detail = HTTPStatus(error.status_code).description or HTTPStatus(error.status_code).phrase
    headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else error.headers
    return problem_response(error.status_code, code=code, detail=f"{detail}.", headers=headers, path=request.url.path)


def _allowed(request: Request) -> list[str]:
    """Return the methods of this address. The router knows those of the first route that fits, and there is one for each method."""
    return [method for method in METHODS if _is_route({**request.scope, "method": method}, request.app.routes)]


def _is_route(scope: Scope, routes: Sequence[BaseRoute]) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """Nobody reads this: the client went away in the middle of its own request."""
    return Response(status_code=400)


def problem_response(
    status: int,
    *,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
    path: str = "",
) -> Response:
    """Return an error as ``application/problem+json``, or as the ``path`` of its request wants it."""
    return _response(_problem(status, code=code, detail=detail, members=members or {}), headers, path)


def _problem(status: int, *, code: str, detail: str, members: Mapping[str, object]) -> Problem:
    told = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code, "request_id": request_id_of()}
    return Problem.model_validate({**told, **members})


def _response(problem: Problem, headers: Mapping[str, str] | None, path: str) -> Response:
    if speaks_openai(path):
        status = status_there(problem.status, problem.code)
        body = body_there(status, code=problem.code, message=problem.detail)
        return Response(body, status, headers, media_type="application/json")
    return Response(orjson.dumps(problem.model_dump()), problem.status, headers, media_type="application/problem+json")


def _oauth_error(error: str, description: str) -> Response:
    body = orjson.dumps({"error": error, "error_description": description})
    return Response(body, 400, {"Cache-Control": "no-store"}, media_type="application/json")


def _param(loc: Sequence[str | int]) -> str | None:
    """Name a place as OpenAI does: ``messages[0].content``. Which of several forms a value was read as is no part of that."""
    steps = [part for part in loc[1:] if not str(part).startswith(FORM)]
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return name.removeprefix(".") or None


def _shown(part: object) -> str | int:
    """A place in the request may be named by the client: keep it short and encodable."""
    return part if isinstance(part, int) else str(part)[:64].encode("utf-8", "replace").decode()
