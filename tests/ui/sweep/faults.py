"""The ways in which a call of the API can fail."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.support.faulty_api import FaultyApi

Arm = Callable[[FaultyApi, str, str], object]
PIECE = 0.3
"""Seconds after which a client that was told to be impatient gives up; only calls that never come wait for it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``arm(api, method, path)`` lets it happen. ``refused``: it is no success, so the page has to say something."""

    name: str
    arm: Arm
    refused: bool = True
    never: bool = False


def _problem(status: int, **headers: str) -> Fault:
    def arm(api: FaultyApi, method: str, path: str) -> None:
        api.refuse(method, path, status, "a_code", f"A sentence of the API for {status}.", **headers)

    return Fault(str(status), arm)


def _bytes(name: str, data: bytes, content_type: str = "application/json", *, refused: bool = False) -> Fault:
    def arm(api: FaultyApi, method: str, path: str) -> None:
        api.send(method, path, data, content_type=content_type)

    return Fault(name, arm, refused=refused)


async def _half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"items": [')
    if request.transport is not None:
        request.transport.close()
    return response


async def _never(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("this event is never set")


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
    *(_problem(status) for status in (401, 403, 404, 409, 422, 500, 503)),
    _problem(429, **{"Retry-After": "7"}),
    _bytes("HTML with 200", b"<!doctype html><title>Proxy</title><h1>Welcome</h1>", "text/html", refused=True),
    _bytes("[]", b"[]"),
    _bytes("null", b"null"),
    _bytes("{}", b"{}"),
    _bytes("a list of null", b'{"items": [null], "next_cursor": null}'),
    _bytes("truncated JSON", b'{"items": [{"id": ', refused=True),
    _bytes("no UTF-8", b'{"items": "\xff\xfe"}', refused=True),
    _bytes("empty with 200", b""),
    Fault("dropped", lambda api, method, path: api.drop(method, path)),
    Fault("half a body", lambda api, method, path: api.answer(method, path, _half)),
    Fault("never", lambda api, method, path: api.answer(method, path, _never), never=True),
)
_RUN = b'id: 1\nevent: run\ndata: {"run_id": "r", "session_id": "SESSION", "message_id": "MESSAGE"}\n\n'
_DELTA = b'id: 2\nevent: delta\ndata: {"text": "The beginning "}\n\n'


def stream_faults(session_id: str, message_id: str) -> tuple[Fault, ...]:
    """Return what can go wrong in an answer that comes as a stream, in a conversation that exists."""
    run = _RUN.replace(b"SESSION", session_id.encode()).replace(b"MESSAGE", message_id.encode())
    shapes = (
        _stream(f"{name.decode()} with data {data.decode()}", *(() if name == b"run" else (run,)), _event(name, data))
        for name in (b"run", b"sources", b"delta", b"done", b"error")
        for data in (b"null", b"{}")
    )
    return (
        _stream("breaks off", run, _DELTA, cut=True),
        _stream("breaks off in a line", run, _DELTA, b"event: del", cut=True),
        _stream("ends without a last event", run, _DELTA),
        _stream("ends at once"),
        _stream("an error in the middle", run, _DELTA, _event(b"error", b'{"code": "answer_cut", "message": "It broke off."}')),
        _stream("an event of another kind", run, _event(b"surprise", b"{}"), _DELTA),
        _stream("an event that is no JSON", run, _event(b"delta", b"{")),
        _stream("no UTF-8", run, b'event: delta\ndata: {"text": "\xff"}\n\n'),
        *shapes,
    )


def _event(name: bytes, data: bytes) -> bytes:
    return b"id: 9\nevent: " + name + b"\ndata: " + data + b"\n\n"
