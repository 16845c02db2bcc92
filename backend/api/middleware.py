"""What happens to every request. Pure ASGI: a wrapped response costs a token ten times as much."""

import re
from contextvars import ContextVar
from http import HTTPStatus
from time import perf_counter
from uuid import uuid4

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.openai_errors import body_there, speaks_openai
from backend.api.security_headers import secure
from backend.core.metrics import REQUESTS
from backend.core.tracing import span

log = structlog.get_logger("backend.requests")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

UNTRACED = frozenset({"/health", "/ready", "/metrics"})
"""Asked every few seconds by whoever watches the process."""

_request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id_of() -> str:
    """Return the id of the request that is being answered."""
    return _request_id.get()


class RequestContext:
    """Gives every request an id, logs how it ended, and answers defects with a problem that says nothing about them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent = headers.get("x-request-id", "")
        request_id = sent if _ACCEPTED_ID.fullmatch(sent) else uuid4().hex
        _request_id.set(request_id)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if scope["path"] in UNTRACED:
            await self._answer(scope, receive, send, request_id)
            return
        attributes = {"http.request.method": _method(scope), "docent.request_id": request_id}
        with span(_method(scope), attributes, kind="server", parent=headers.get("traceparent")) as traced:
            status = await self._answer(scope, receive, send, request_id)
            if (route := _route(scope)) is not None:
                traced.rename(f"{_method(scope)} {route}")
                traced.set({"http.route": route})
            if status:
                traced.set({"http.response.status_code": status})
            if status >= 500:
                traced.fail(str(status))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        """Return the status; 0 where nobody was left to be given one."""
        begun = perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                secure(scope, headers)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            log.exception("request_failed", method=_method(scope), route=_route(scope))
            if status:
                raise  # The answer has begun: all that is left is to break it off.
            await _send_defect(send_with_headers, request_id, scope["path"])
        finally:
            seconds = perf_counter() - begun
            REQUESTS.observe(seconds, _operation(scope), _method(scope), str(status))
            elapsed = round(seconds * 1000, 1)
            log.info("request", method=_method(scope), route=_route(scope), status=status or None, ms=elapsed)
        return status


def _operation(scope: Scope) -> str:
    """Return the name of the route that answered. What has none is one thing: people may ask for any path."""
    return str(getattr(scope.get("route"), "name", "none"))


def _route(scope: Scope) -> str | None:
    """Return the path of the route that answered, as it is declared. The path itself is whatever somebody typed: ids, and worse.

    A route knows what it has below the last router alone. What stands before that has no parameters, so it is as it was asked for.
    """
    declared = str(getattr(scope.get("route"), "path", ""))
    if not declared or ":path" in declared:
        return declared or None
    asked = scope["path"].split("/")
    return "/".join(asked[: len(asked) - declared.count("/")]) + declared


def _method(scope: Scope) -> str:
    return str(scope["method"]) if scope["method"] in METHODS else "other"


async def _send_defect(send: Send, request_id: str, path: str) -> None:
    body = {
        "type": "about:blank",
        "title": HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
        "status": 500,
        "detail": "Something went wrong on our side.",
        "code": "internal",
        "request_id": request_id,
    }
    kind, encoded = b"application/problem+json", orjson.dumps(body)
    if speaks_openai(path):
        kind, encoded = b"application/json", body_there(500, code=str(body["code"]), message=str(body["detail"]))
    await send({"type": "http.response.start", "status": 500, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": encoded})
