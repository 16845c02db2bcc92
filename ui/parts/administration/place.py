"""What the tabs have in common: failing in one's own place, lists in parts, names of accounts, times."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.understanding import understanding

KNOWN_ACCOUNTS = 200
"""So many names are looked up; of accounts beyond them, ids are shown."""


@contextmanager
def alone() -> Iterator[None]:
    """Say in its place what did not work, so that the rest of the page stays usable."""
    try:
        with understanding():
            yield
    except ApiError as error:
        failed(error)


def said(sentence: str | None = None) -> None:
    """Keep a sentence for the next run of the page, or show the one that was kept."""
    if sentence is not None:
        st.session_state.administration_said = sentence
    elif "administration_said" in st.session_state:
        st.success(st.session_state.pop("administration_said"), icon=":material/check:")


def part_of(path: str, name: str, *, size: int = 25, **params: object) -> list[dict[str, Any]]:
    """Return a part of a list, with buttons to turn to the next and back. Other ``params`` begin anew."""
    key = f"{name}-{sorted((key, value) for key, value in params.items() if value is not None)}"
    turned: list[str] = st.session_state.setdefault(f"turned-{key}", [])
    found = api().get(path, limit=size, cursor=turned[-1] if turned else None, **params)
    items: list[dict[str, Any]] = found["items"]
    if turned or found["next_cursor"]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Newer", icon=":material/chevron_left:", key=f"newer-{key}", disabled=not turned, on_click=_back, args=(turned,)
            )
            st.button(
                "Older",
                icon=":material/chevron_right:",
                key=f"older-{key}",
                disabled=not found["next_cursor"],
                on_click=turned.append,
                args=(found["next_cursor"],),
            )
            st.caption(f"Part {len(turned) + 1}")
    return items


def _back(turned: list[str]) -> None:
    if turned:
        turned.pop()


def names() -> dict[str, str]:
    """Return the names of accounts by their ids; fewer, or none, where they cannot be had: ids are shown then."""
    try:
        with understanding():
            return {user["id"]: user["username"] for user in api().all("/users", most=KNOWN_ACCOUNTS)}
    except ApiError:
        return {}


def called(known: dict[str, str], account_id: str | None) -> str:
    """Return what an account is called: its name, else the beginning of its id."""
    return "" if account_id is None else known.get(account_id, account_id[:8])


def zone() -> tzinfo:
    """Return the browser's time zone; UTC where it told none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def moment(text: str | None) -> datetime | None:
    """Return a time of the API in the browser's zone."""
    return None if text is None else datetime.fromisoformat(text).astimezone(zone())


def lasting(seconds: float) -> str:
    """Return a time as people say it."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if count > 1 else ''}"
    return f"{seconds:.0f} seconds" if seconds >= 1 else "less than a second"
