"""What was measured."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self


@dataclass(slots=True)
class Figures:
    """Bytes, milliseconds of one core, and counts; what is of one thing is so on average."""

    tables: dict[str, dict[str, float]] = field(default_factory=dict)
    """Bytes in PostgreSQL of one user, one document, one passage and one answer, by table."""
    postgres_user: float = 0
    postgres_document: float = 0
    postgres_passage: float = 0
    postgres_answer: float = 0
    wal_sign_in: float = 0
    wal_document: float = 0
    wal_passage: float = 0
    wal_answer: float = 0
    files_document: float = 0
    """Bytes on the disk of a document's file beyond its own."""
    dimensions: float = 768
    chroma_disk_collection: float = 0
    chroma_disk_vector: float = 0
    chroma_memory_collection: float = 0
    chroma_memory_vector: float = 0
    redis_user: float = 0
    redis_stream_token: float = 0
    api_memory: float = 0
    api_memory_stream: float = 0
    worker_memory: float = 0
    api_connections: float = 0
    worker_connections: float = 0
    cpu: dict[str, dict[str, float]] = field(default_factory=dict)
    """Milliseconds by what is done, and by who does it."""

    def as_json(self) -> str:
        """Return them as a file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """Read such a file."""
        return cls(**{each.name: stored[each.name] for each in fields(cls)})
