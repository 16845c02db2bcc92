"""What the API is asked about documents."""

from typing import IO

from ui.client import Api
from ui.parts.documents.document import Document
from ui.parts.understanding import understanding

PLACE = "/chat/documents"
AT_ONCE = 100
"""As many as a list gives at a time."""


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

    def __init__(self, api: Api, document_id: str) -> None:
        self._api = api
        self._path = f"{PLACE}/{document_id}/file"

    def __call__(self) -> bytes:
        """Return its bytes. What is raised is shown as it is, so it is a sentence."""
        return self._api.download(self._path)


def replace(api: Api, document_id: str, name: str, file: IO[bytes]) -> None:
    """Upload a new version of a document; the file is read while it is sent."""
    api.replace(f"{PLACE}/{document_id}/file", name, file)
