"""What people trust the product with, and where none of it may be: in no line of any log."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

TOKENS = re.compile(r"\beyJhbGciOi[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|\b[a-z]{2}_[0-9a-f]{32}_[\w-]{16,}")
"""Access tokens, and all other tokens and keys of the product's making. None is a name, so that each one that is seen is real."""
PASSWORDS = ("correct horse",)
"""What the passwords of the tests' accounts begin with."""
SECRET_SETTINGS = re.compile(r"(SECRET_KEY|_API_KEY|_TOKEN|_PASSWORD)$")
URL_PASSWORD = re.compile(r"://[^:/@\s]*:([^@/\s]{6,})@")
CONFIDED = frozenset({"query", "prompt", "content", "question", "input", "title", "password", "new_password", "current_password"})
"""Names in the bodies of requests. What people write there is theirs."""
MOST_TEXTS = 2_000
LOG_BYTES = 1 << 20


@dataclass(slots=True)
class Confidences:
    """What one product was told."""

    texts: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Remember a text, if it is one that nothing else in a log can be."""
        line = text.strip()[:200]
        if len(line) >= 16 and " " in line and len(set(line)) >= 8 and len(self.texts) < MOST_TEXTS:
            self.texts.add(line)

    def note_file(self, data: bytes) -> None:
        """Remember lines of an uploaded text."""
        for line in data[:4096].decode(errors="replace").splitlines()[:8]:
            if line.isprintable():
                self.note(line)

    async def note_request(self, request: httpx2.Request) -> None:
        """Remember what a request confides in its body, where that is small and JSON."""
        if not request.headers.get("content-type", "").startswith("application/json"):
            return
        try:
            body = json.loads(request.content[:65_536])
        except (ValueError, RecursionError, httpx2.RequestNotRead):
            return
        for text in _confided(body):
            self.note(text)


def _confided(value: object, *, named: bool = False) -> Iterator[str]:
    if isinstance(value, str) and named:
        yield value
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _confided(item, named=named)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _confided(item, named=named or name in CONFIDED)


def secrets_of(environment: dict[str, str]) -> set[str]:
    """Return the secrets that a process was started with, and those that it made in its data folder."""
    found = {value for name, value in environment.items() if SECRET_SETTINGS.search(name)}
    found |= {password for value in environment.values() for password in URL_PASSWORD.findall(value)}
    folder = Path(environment.get("DATA_DIR", "/nowhere"))
    if (folder / "secret_key").is_file():
        found.add((folder / "secret_key").read_text().strip())
    if (folder / "postgres.json").is_file():
        found |= {value for value in json.loads((folder / "postgres.json").read_text()).values() if isinstance(value, str)}
    return {secret for secret in found if len(secret) >= 6}


def leaks(text: str, secrets: Iterable[str] = ()) -> list[str]:
    """Return the lines of a log that hold a token, a password of the tests' accounts, or one of these secrets."""
    suspects = {found[0] for found in TOKENS.finditer(text)}
    suspects |= {secret for secret in (*PASSWORDS, *secrets) if secret in text}
    return [line for line in text.splitlines() if any(suspect in line for suspect in suspects)] if suspects else []


def logs_of(folder: Path) -> str:
    """Return the ends of the servers' logs in a data folder."""
    ends = []
    for log in sorted(folder.glob("logs/*.log*")):
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_BYTES))
            ends.append(file.read().decode(errors="replace"))
    return "\n".join(ends)


def assert_nothing_leaked(lines: Iterable[str], environment: dict[str, str], confided: Confidences) -> None:
    """Fail where what a process said, or the logs of the servers in its data folder, hold what is nobody's business."""
    folder = Path(environment.get("DATA_DIR", "/nowhere"))
    secrets = secrets_of(environment) | confided.texts
    found = leaks("".join(lines), secrets) + leaks(logs_of(folder), secrets)
    assert found == [], "a log holds what people trusted the product with"
