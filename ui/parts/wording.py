"""Numbers, moments and devices as people say them."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

UNITS = ("bytes", "KB", "MB", "GB", "TB")
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What tells a browser from those that claim to be it as well: the first that is found."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device(user_agent: str | None) -> str:
    """Return what somebody signed in with: ``Firefox on Windows``, or the name that a program gives itself."""
    said = user_agent or ""
    browser = next((name for sign, name in BROWSERS if sign in said), "")
    system = next((name for sign, name in SYSTEMS if sign in said), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    program = said.split("/")[0].split(" ")[0][:40]
    return program or "Unknown device"


def zone() -> tzinfo:
    """Return the time zone of the browser, as far as it tells."""
    name, minutes = st.context.timezone, st.context.timezone_offset
    try:
        return ZoneInfo(name) if name else UTC
    # It comes from the browser; and systems without a list of zones know none.
    except (OSError, ValueError, LookupError):
        return timezone(timedelta(minutes=-minutes)) if isinstance(minutes, int) and abs(minutes) < 24 * 60 else UTC


def moment(text: str, *, at: datetime | None = None, where: tzinfo | None = None) -> str:
    """Return a moment of the API as it is said in a time zone: ``today at 14:05``. ``at`` is now.

    Raises:
        ValueError: It is none.
    """
    there = where or zone()
    told = datetime.fromisoformat(text).astimezone(there)
    today = (at or datetime.now(UTC)).astimezone(there).date()
    days = {today: "today", today - timedelta(days=1): "yesterday", today + timedelta(days=1): "tomorrow"}
    day = days.get(told.date()) or f"{told.day} {told:%B %Y}"
    return f"{day} at {told:%H:%M}" + (" UTC" if there is UTC else "")


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {UNITS[-1]}"


def span(seconds: float) -> str:
    """Return a length of time, roughly: ``40 seconds``, ``5 hours``."""
    for length, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= length:
            return _counted(round(seconds / length), unit)
    return _counted(round(seconds), "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
