"""Tokens that mean nothing to their holder: an id to find the row by, and a secret of which only the hash is stored."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from uuid import UUID

LONGEST = 200


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """``<prefix>_<id>_<secret>``, with 256 random bits of secret."""

    prefix: str
    id: UUID
    secret: str = field(repr=False)

    @classmethod
    def make(cls, prefix: str, id_: UUID) -> "OpaqueToken":
        """Return a new token for a row."""
        return cls(prefix, id_, secrets.token_urlsafe(32))

    @classmethod
    def read(cls, prefix: str, text: str) -> "OpaqueToken | None":
        """Parse what ``text`` gives; ``None`` for anything else."""
        found, _, rest = text.partition("_")
        id_, separator, secret = rest.partition("_")
        if found != prefix or not separator or len(text) > LONGEST or not text.isascii():
            return None
        try:
            return cls(prefix, UUID(hex=id_), secret)
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """The token as its holder keeps it."""
        return f"{self.prefix}_{self.id.hex}_{self.secret}"

    @property
    def hash(self) -> bytes:
        """What is stored. A fast hash is enough for 256 random bits."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, stored: bytes) -> bool:
        """Compare with what is stored, in constant time."""
        return hmac.compare_digest(self.hash, stored)
