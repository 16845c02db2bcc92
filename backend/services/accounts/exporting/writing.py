"""What stands in the files of an export."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import IO
from uuid import UUID

from backend.core.values.audit import AuditEvent
from backend.core.values.document import Document
from backend.core.values.task import Task
from backend.core.values.user import ApiKey, SignIn, User
from backend.services.transcripts import encoded

PIECE_BYTES = 256 << 10
TEXT = "text.txt"
EARLIER_TEXT = "text-version-{version}.txt"

README = """\
This is everything that Docent keeps about your account.

profile.json          your account
documents.json        your documents: what is known about each, and where its file is in here
documents/ID/NAME     the file that you uploaded, as it was
documents/ID/text.txt the text that was read from it; "start" and "end" of a source count its characters from 0;
                      text-version-N.txt are those of earlier versions, which older sources name
sessions/ID.json      a conversation, with the sources of each answer
sessions/ID.md        the same to read, without answers that were given anew and with what is cited only
tasks.json            questions that you asked in the background; their answers are in the conversations
keys.json             your API keys, without their secrets, which are not stored
sign-ins.json         where you are signed in
usage.json            your questions and tokens of each day (UTC)
audit.json            what happened to your account

All times are in UTC. Texts are UTF-8. Passwords and secrets are stored as hashes only, and are not in here.
"""


def profile(user: User) -> bytes:
    """Return the account, without what its password is checked with."""
    names = ("id", "username", "email", "full_name", "role", "tier", "is_active", "created_at")
    return encoded({name: getattr(user, name) for name in names})


def folder_of(document: Document) -> str:
    """Return where the document's files are."""
    return f"documents/{document.id}"


def document(document: Document, path: str | None) -> bytes:
    """Return what is known about a document; ``path`` is where its file is, or ``None`` if the server has lost it."""
    hidden = {"owner_id", "blob_key", "attempts"}
    values = {name: value for name, value in asdict(document).items() if name not in hidden}
    lost = {} if path is not None else {"file_missing": "The file is missing on the server."}
    return encoded({**values, "file": path, **lost})


async def in_brackets(entries: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield a JSON list of entries that are separated already."""
    yield b"[\n"
    while piece := entries.read(PIECE_BYTES):
        yield piece
    yield b"\n]\n"


def task(task: Task) -> object:
    """Return a task, without how its question is to be answered once more."""
    names = ("id", "session_id", "message_id", "state", "error_code", "created_at", "started_at", "finished_at")
    return {name: getattr(task, name) for name in names}


def key(key: ApiKey) -> object:
    """Return a key without its hash."""
    names = ("id", "name", "scopes", "document_ids", "created_at", "expires_at", "last_used_at")
    return {name: getattr(key, name) for name in names}


def sign_in(sign_in: SignIn) -> object:
    """Return a sign-in without its hash."""
    return {name: getattr(sign_in, name) for name in ("id", "user_agent", "created_at", "last_used_at", "expires_at")}


def event(event: AuditEvent, owner_id: UUID) -> object:
    """Return an event about the account. Who else did it, and from where, is not the owner's to know."""
    own = event.actor_id in {None, owner_id}
    by = "you" if event.actor_id == owner_id else "nobody who is known" if own else "an administrator"
    address = event.address if own else None
    return {"occurred_at": event.occurred_at, "kind": event.kind, "by": by, "address": address, "details": event.details}
