"""Requests that clients may repeat."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from backend.core.errors import IdempotencyKeyReusedError


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """How an earlier request with the same key ended.

    ``subject_id`` is the document or the answer that it made, if it made one: a replay shows that as it is now, so what was deleted
    meanwhile does not come back. ``headers`` and ``body`` are there for outcomes that are nothing but a response.
    """

    fingerprint: bytes
    status: int
    subject_id: UUID | None
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def made(self) -> UUID:
        """What the request made, for operations that always make something."""
        if self.subject_id is None:
            message = "this outcome is a response and nothing else"
            raise RuntimeError(message)
        return self.subject_id

    def assert_of(self, fingerprint: bytes) -> None:
        """Return if the earlier request was the same as the one with this fingerprint.

        Raises:
            IdempotencyKeyReusedError: It was another one.
        """
        if self.fingerprint != fingerprint:
            raise IdempotencyKeyReusedError


def upload_fingerprint(filename: str, title: str | None, sha256: str) -> bytes:
    """Return what tells one upload from another: its name, its title and the sha256 of its bytes, in hexadecimal."""
    # Neither a file name nor a title holds a NUL; no title is not the same as any title.
    return hashlib.sha256("\0".join([sha256, filename, *([] if title is None else [title])]).encode()).digest()
