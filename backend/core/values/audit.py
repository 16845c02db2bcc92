"""Security events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that an administrator may have to look into. It names ids, never a secret."""

    id: UUID
    occurred_at: datetime
    kind: str
    actor_id: UUID | None
    subject_id: UUID | None
    address: str | None
    details: Mapping[str, Any]
