from typing import Any
from uuid import uuid4

from httpx2 import Response

from tests.support.files import WHALES
from tests.support.product import Account


def stripped(response: Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in response.headers.items() if name not in {"date", "x-request-id"}}
    body = response.json()
    assert body.pop("request_id") == response.headers["x-request-id"]
    return response.status_code, headers, body


async def test_what_belongs_to_somebody_else_cannot_be_told_from_what_is_not_there(alice: Account, bob: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    await alice.settled(document)
    session = (await alice.ask("What do whales eat?")).json()["session_id"]
    nothing = str(uuid4())
    requests: list[tuple[str, str, str, dict[str, Any] | None]] = [
        *((method, "/api/v1/chat/documents/{}", document, None) for method in ("GET", "DELETE")),
        ("PATCH", "/api/v1/chat/documents/{}", document, {"title": "Mine"}),
        *(("GET", f"/api/v1/chat/documents/{{}}/{part}", document, None) for part in ("text", "file")),
        *((method, "/api/v1/chat/sessions/{}", session, None) for method in ("GET", "DELETE")),
        ("PATCH", "/api/v1/chat/sessions/{}", session, {"title": "Mine"}),
        ("GET", "/api/v1/chat/sessions/{}/messages", session, None),
        ("POST", "/api/v1/chat/query", session, {"query": "Go on.", "session_id": "{}"}),
        ("POST", "/api/v1/chat/query", document, {"query": "What?", "document_ids": ["{}"]}),
        ("POST", "/api/v1/chat/sessions", document, {"document_ids": ["{}"]}),
    ]
    for method, path, theirs, body in requests:
        answers = []
        for target in (theirs, nothing):
            filled = (
                None
                if body is None
                else {key: target if value == "{}" else [target] if value == ["{}"] else value for key, value in body.items()}
            )
            answers.append(stripped(await bob.client.request(method, path.format(target), json=filled)))
        assert answers[0] == answers[1], (method, path)
        assert answers[0][0] == 404

    assert (await alice.document(document))["title"] == "whales"
