"""What stands at the beginning and at the end of a backup.

A backup is a tar file: the header, the secret key if it is kept with the data, the tables (gzip of PostgreSQL's text format), the
uploaded files under their keys, and the manifest, which knows the sizes and sums of all that stands before it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from backend.core.errors import BackupRefusedError

FORMAT = 1
HEADER = "docent-backup.json"
MANIFEST = "manifest.json"
SECRET_KEY = "secret_key"  # noqa: S105 - the name of a member
TABLES = "tables/"
FILES = "files/"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """What has to be known before anything else is read. ``revision`` is the schema's; ``with_vectors``: they are in the file."""

    format: int
    release: str
    revision: str
    created_at: datetime
    with_vectors: bool
    embedder: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the tar file: its size in bytes, and the sha256 of its bytes in lower-case hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TableContent:
    """A table's rows, with the columns that they have, in their order."""

    name: str
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is in a backup. Tables stand in the order in which they have to be filled.

    ``missing`` are keys of files that documents name and that the store did not have.
    """

    members: tuple[Member, ...]
    tables: tuple[TableContent, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written or restored. ``bytes`` are those of the backup, ``file_bytes`` those of the uploaded files in it."""

    header: Header
    users: int
    documents: int
    rows: int
    files: int
    file_bytes: int
    bytes: int
    seconds: float
    missing: tuple[str, ...]
    secret_key: bool


def summary(header: Header, manifest: Manifest, *, size: int, seconds: float) -> Summary:
    """Count what is in a backup."""
    rows = {table.name: table.rows for table in manifest.tables}
    files = [member for member in manifest.members if member.name.startswith(FILES)]
    return Summary(
        header=header,
        users=rows.get("users", 0),
        documents=rows.get("documents", 0),
        rows=sum(rows.values()),
        files=len(files),
        file_bytes=sum(member.size for member in files),
        bytes=size,
        seconds=seconds,
        missing=manifest.missing,
        secret_key=any(member.name == SECRET_KEY for member in manifest.members),
    )


def written(value: Header | Manifest) -> bytes:
    """Return a part as JSON."""
    return TypeAdapter(type(value)).dump_json(value, indent=1) + b"\n"


def read(kind: type[T], text: bytes) -> T:
    """Read what ``written`` wrote.

    Raises:
        BackupRefusedError: It is something else.
    """
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        raise BackupRefusedError(
            "This file is not a backup of Docent, or it is damaged: its description cannot be read."
        ) from error
