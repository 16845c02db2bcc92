"""What a new API process is told, and what it may not decide for itself."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from backend.core.config import Settings
from backend.core.errors import ConfigurationError

OF_ALL = (
    "environment",
    "host",
    "port",
    "data_dir",
    "database_url",
    "database_owner_url",
    "chroma_url",
    "blob_url",
    "redis_url",
    "secret_key",
)
"""What the processes of one ``docent serve`` have to agree on. Everything else a new one may have otherwise than the old ones."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What the first line of a process's standard input says.

    ``listener`` and ``reports`` are descriptors that it inherits: of the socket that all listen on, and of the pipe that it reports
    to. ``embedded`` says that it is nothing without its parent, which runs PostgreSQL. ``agreed`` are digests of settings.
    """

    parent: int
    number: int
    listener: int
    reports: int
    measurements: str
    ui_port: int | None
    embedded: bool
    agreed: dict[str, str]

    def line(self) -> bytes:
        """Return what is written."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Charge":
        """Return what was written."""
        return cls(**json.loads(line))

    def check(self, settings: Settings) -> None:
        """Refuse settings that have changed since all began, where that cannot go well.

        Raises:
            ConfigurationError: It names the settings.
        """
        found = digests(settings)
        if changed := [name.upper() for name in OF_ALL if found[name] != self.agreed[name]]:
            raise ConfigurationError(f"{', '.join(changed)} changed: that needs a whole restart, and not a rolling one.")


def digests(settings: Settings) -> dict[str, str]:
    """Return what the processes have to agree on, in a form that can be compared and not read."""
    return {name: hashlib.sha256(_told(getattr(settings, name)).encode()).hexdigest() for name in OF_ALL}


def _told(value: object) -> str:
    if isinstance(value, Path):
        return str(value.expanduser().resolve())
    return repr(value.get_secret_value() if isinstance(value, SecretStr) else value)
