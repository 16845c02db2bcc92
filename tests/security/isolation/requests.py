"""Requests made of rows, and what is the same about two answers."""

import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import httpx2

from tests.security.isolation.description import Operation, Position
from tests.security.isolation.rows import Row
from tests.security.isolation.world import Person

TOLD_APART_BY = frozenset({"date", "x-request-id", "ratelimit", "ratelimit-policy"})
REQUEST_ID = "isolation-matrix"
ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def call(
    operation: Operation,
    row: Row,
    *,
    caller: Person,
    credential: str,
    body: Mapping[str, Any],
    ids: Mapping[Position, object],
) -> httpx2.Response:
    """Call an operation with these ids. Other places in its path get the caller's own; those elsewhere stay empty."""
    sent: dict[str, dict[str, Any]] = {
        "path": dict(row.path),
        "query": {},
        "header": {"X-Request-ID": REQUEST_ID},
        "body": _filled(body, caller),
    }
    for position in operation.positions:
        if position in ids:
            value = ids[position]
        elif position.where == "path" or "token" in position.name:
            value = caller.own(row.kinds[str(position)], credential)
        else:
            continue
        assert "." not in position.name, f"{position}: rows know no nested objects yet"
        sent[position.where][position.name.removesuffix("[]")] = value
    content: dict[str, Any] = {}
    if row.shape == "file":
        content["files"] = {"file": ("upload.txt", row.file)}
    elif row.shape == "form" or sent["body"] or operation.method == "PATCH":
        content["data" if row.shape == "form" else "json"] = sent["body"]
    return await caller.clients[credential].request(
        operation.method, operation.path.format(**sent["path"]), params=sent["query"], headers=sent["header"], **content
    )


def _filled(body: Mapping[str, Any], caller: Person) -> dict[str, Any]:
    meanings = {"{me}": caller.account.username, "{new}": f"new{token_hex(8)}"}
    return {name: _spelled_out(value, meanings) for name, value in body.items()}


def _spelled_out(value: Any, meanings: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for word, meaning in meanings.items():
            value = value.replace(word, meaning)
    return value


def as_bytes(response: httpx2.Response) -> bytes:
    """Return all that was sent, in one piece."""
    head = b"\r\n".join(name + b": " + value for name, value in response.headers.raw)
    return b"%d\r\n%b\r\n\r\n%b" % (response.status_code, head, response.content)


def alike(response: httpx2.Response, *, made: bool) -> tuple[int, list[tuple[str, bytes]], bytes]:
    """Return status, headers and body as they have to be equal. Where a success has ``made`` something, that is a new thing."""
    left_out = TOLD_APART_BY | ({"content-length"} if made else frozenset())
    headers = sorted((name.decode().lower(), value) for name, value in response.headers.raw)
    kept = [(name, ID.sub(b"", value) if made else value) for name, value in headers if name not in left_out]
    return response.status_code, kept, b"" if made else response.content
