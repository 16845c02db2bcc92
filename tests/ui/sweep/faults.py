"""The ways in which a call of the API can fail."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.support.faulty_api import FaultyApi

Arm = Callable[[FaultyApi, str, str], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """``arm(api, method, path)`` lets it happen. ``refused``: it is no success, so the page has to say something."""

    name: str
    arm: Arm
    refused: bool = True


def _problem(status: int, **headers: str) -> Fault:
    def arm(api: FaultyApi, method: str, path: str) -> None:
        api.refuse(method, path, status, "a_code", f"A sentence of the API for {status}.", **headers)

    return Fault(str(status), arm)


def _bytes(name: str, data: bytes, content_type: str = "application/json", *, refused: bool = False) -> Fault:
    def arm(api: FaultyApi, method: str, path: str) -> None:
        api.send(method, path, data, content_type=content_type)

    return Fault(name, arm, refused=refused)


def _stream(name: str, *pieces: bytes, cut: bool = False) -> Fault:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return Fault(name, lambda api, method, path: api.answer(method, path, answer))


FAULTS = (
    *(_problem(status) for status in (401, 404, 500)),
    _problem(429, **{"Retry-After": "7"}),
    _bytes("HTML with 200", b"<!doctype html><title>Proxy</title><h1>Welcome</h1>", "text/html", refused=True),
    _bytes("[]", b"[]"),
    _bytes("null", b"null"),
    _bytes("{}", b"{}"),
    _bytes("truncated JSON", b'{"items": [{"id": ', refused=True),
    Fault("dropped", lambda api, method, path: api.drop(method, path)),
)
"""One of each class: what the client makes of the others is looked at in test_client, without a page."""
_RUN = b'id: 1\nevent: run\ndata: {"run_id": "r", "session_id": "SESSION", "message_id": "MESSAGE"}\n\n'
_DELTA = b'id: 2\nevent: delta\ndata: {"text": "The beginning "}\n\n'


def stream_faults(session_id: str, message_id: str) -> tuple[Fault, ...]:
    """Return what can go wrong in an answer that comes as a stream, in a conversation that exists."""
    run = _RUN.replace(b"SESSION", session_id.encode()).replace(b"MESSAGE", message_id.encode())
    return (
        _stream("breaks off", run, _DELTA, cut=True),
        _stream("ends without a last event", run, _DELTA),
        _stream("an error in the middle", run, _DELTA, _event(b"error", b'{"code": "answer_cut", "message": "It broke off."}')),
        _stream("an event that is no JSON", run, _event(b"delta", b"{")),
        *(_stream(f"{name.decode()} with nothing", run, _event(name, b"{}")) for name in (b"run", b"sources", b"done", b"error")),
    )


def _event(name: bytes, data: bytes) -> bytes:
    return b"id: 9\nevent: " + name + b"\ndata: " + data + b"\n\n"
