"""Numbers and moments, as people say them."""

from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

UNITS = ("bytes", "KB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Return a number of bytes."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {UNITS[-1]}"


def counted(number: int, noun: str) -> str:
    """Return so many of something."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def moment(at: datetime) -> str:
    """Return a moment by the clock of whoever looks at the page."""
    zone = _zone()
    here, now = at.astimezone(zone), datetime.now(zone)
    if here.date() == now.date():
        return f"today at {here:%H:%M}"
    if here.date() == now.date() - timedelta(days=1):
        return f"yesterday at {here:%H:%M}"
    return f"{here.day} {here:%b %Y, %H:%M}"


def _zone() -> tzinfo:
    """Return the browser's time zone. Some servers know no zones by their names; then its present distance from UTC counts."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (OSError, ValueError, LookupError):
        return timezone(-timedelta(minutes=st.context.timezone_offset or 0))
