"""Numbers, moments and devices as people say them."""

import shlex
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ui.parts.account.keys import example
from ui.parts.account.usage import filled, sentence
from ui.parts.wording import device, moment, size, span

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 CriOS/130.0 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (MAC, "Safari on Mac"),
        (PHONE, "Chrome on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        (None, "Unknown device"),
    ],
)
def test_a_device_is_named_as_its_owner_would(user_agent: str | None, words: str) -> None:
    assert device(user_agent) == words


def test_moments_are_those_of_the_readers_clock() -> None:
    at, tokyo = datetime(2026, 3, 1, 20, 0, tzinfo=UTC), ZoneInfo("Asia/Tokyo")

    assert moment("2026-03-01T14:59:00Z", at=at, where=tokyo) == "yesterday at 23:59"
    assert moment("2026-03-01T15:00:00Z", at=at, where=tokyo) == "today at 00:00"
    assert moment("2025-12-24T18:05:00+00:00", at=at, where=UTC) == "24 December 2025 at 18:05 UTC"


def test_amounts_are_said_in_words() -> None:
    assert [size(0), size(999), size(1500), size(2_000_000_000)] == ["0 bytes", "999 bytes", "1.5 KB", "2.0 GB"]
    assert [span(1), span(90), span(7200)] == ["1 second", "2 minutes", "2 hours"]
    stored = {"name": "stored_bytes", "limit": 1_000_000, "used": 1500, "reset_seconds": None}
    tokens = {"name": "tokens_per_day", "limit": 200_000, "used": 12_345, "reset_seconds": 7000.0}
    assert sentence(stored) == "1.5 KB of 1.0 MB stored"
    assert sentence(tokens) == "12,345 of 200,000 tokens today. All of it again in 2 hours"


def test_days_without_use_are_there() -> None:
    used = {"day": "2026-02-28", "questions": 2, "prompt_tokens": 10, "completion_tokens": 5}

    days = filled([used], 3, date(2026, 3, 1))

    assert [(day["day"].isoformat(), day["questions"]) for day in days] == [("2026-02-27", 0), ("2026-02-28", 2), ("2026-03-01", 0)]


@pytest.mark.parametrize(
    ("scopes", "path"),
    [
        (["documents:read", "chat"], "/api/v1/chat/query"),
        (["documents:read"], "/api/v1/chat/documents"),
        (["documents:write"], "/api/v1/chat/upload"),
        (["admin"], "/api/v1/users"),
    ],
)
def test_a_line_for_a_shell_does_what_its_key_may(scopes: list[str], path: str) -> None:
    words = shlex.split(example("https://docs.example.com", "dk_1", scopes))

    assert words[:4] == ["curl", f"https://docs.example.com{path}", "-H", "Authorization: Bearer dk_1"]
