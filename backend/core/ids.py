"""Identifiers."""

from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): unique, and ordered by the time of its making within this process."""
    return compat.uuid7()
