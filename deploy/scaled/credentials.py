"""The secrets of one folder, made once."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.adapters.servers.private_files import write_private


@dataclass(frozen=True, slots=True)
class Credentials:
    """``secret_key`` signs tokens; the others are the passwords of PostgreSQL's roles."""

    secret_key: str
    superuser: str
    owner: str
    app: str


def credentials_of(folder: Path) -> Credentials:
    """Return the folder's secrets (256 bits each, in a file with mode 0600), which the first call makes."""
    path = folder / "credentials.json"
    if path.exists():
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    made = Credentials(*(secrets.token_hex(32) for _ in range(4)))
    write_private(path, json.dumps(asdict(made)))
    return made
