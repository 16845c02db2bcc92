"""What the API is asked about documents."""

from typing import Any

import httpx2

from ui.client import Api, ApiError
from ui.client.errors import unreachable
from ui.parts import access
from ui.parts.documents.document import Document
from ui.parts.understanding import understanding
from ui.settings import api_url

PLACE = "/chat/documents"
AT_ONCE = 100
"""As many as a list gives at a time."""
LONG_SECONDS = 600


def newest(api: Api, count: int) -> tuple[list[Document], bool]:
    """Return so many documents, newest first, and whether there are more."""
    found: list[Document] = []
    cursor = None
    with understanding():
        while len(found) < count:
            part = api.get(PLACE, limit=min(AT_ONCE, count - len(found)), cursor=cursor)
            found += [Document.of(told) for told in part["items"]]
            cursor = part["next_cursor"]
            if cursor is None:
                break
    return found, cursor is not None


def document(api: Api, document_id: str) -> Document:
    """Return one document."""
    with understanding():
        return Document.of(api.get(f"{PLACE}/{document_id}"))


def text(api: Api, document_id: str, start: int, end: int) -> tuple[str, int]:
    """Return a part of what was read of a document, and how many characters the whole has."""
    with understanding():
        found = api.get(f"{PLACE}/{document_id}/text", start=start, end=end)
        return str(found["text"]), int(found["length"])


def conversation(api: Api, documents: list[str]) -> str:
    """Begin a conversation that is answered from these documents only, and return its id."""
    with understanding():
        return str(api.post("/chat/sessions", {"document_ids": documents})["id"])


class Original:
    """Fetches the file of a document when it is called: for ``st.download_button``, which calls it from another thread."""

    def __init__(self, document_id: str) -> None:
        self._path = f"{PLACE}/{document_id}/file"
        self._token = access.token() or ""

    def __call__(self) -> bytes:
        """Return its bytes. What is raised is shown as it is, so it is a sentence."""
        return _sent("GET", self._path, self._token).content


def replace(document_id: str, name: str, file: Any) -> None:
    """Upload a new version of a document; the file is read while it is sent."""
    _sent("PUT", f"{PLACE}/{document_id}/file", access.token() or "", files={"file": (name, file)})


def _sent(method: str, path: str, bearer: str, **body: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {bearer}"}
    try:
        response = httpx2.request(method, f"{api_url()}/api/v1{path}", headers=headers, timeout=LONG_SECONDS, **body)
    except httpx2.RequestError as error:
        raise unreachable() from error
    if not response.is_success:
        raise ApiError.of(response)
    return response
