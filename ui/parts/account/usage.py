"""What one may use, and what one has used."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from ui.parts.access import api
from ui.parts.look import plain
from ui.parts.wording import size, span

WORDS = {
    "requests_per_minute": "requests in this minute",
    "concurrent_streams": "answers running now",
    "documents": "documents",
    "stored_bytes": "stored",
    "tokens_per_day": "tokens today",
}
PERIODS = {7: "7 days", 30: "30 days", 90: "90 days", 365: "A year"}
USUAL = 30


def limits() -> None:
    """Show each limit, and how much of it is used."""
    usage = api().get("/auth/me/usage")
    st.caption(f"Tier {plain(usage['tier'])}" + ("." if usage["enforced"] else ". This server does not enforce its limits."))
    for limit in usage["limits"]:
        share = min(limit["used"] / limit["limit"], 1.0) if limit["limit"] else 1.0
        st.progress(share, sentence(limit))


def sentence(limit: dict[str, Any]) -> str:
    """Return a limit in words."""
    said: Callable[[float], str] = size if limit["name"] == "stored_bytes" else lambda count: f"{count:,.0f}"
    words = f"{said(limit['used'])} of {said(limit['limit'])} {WORDS.get(limit['name'], plain(limit['name']))}"
    wait = limit.get("reset_seconds")
    return f"{words}. All of it again in {span(wait)}" if wait and limit["used"] else words


def days() -> None:
    """Show how much was used on each day."""
    st.subheader("Day by day", anchor=False)
    chosen = st.segmented_control(
        "How far back", list(PERIODS), default=USUAL, format_func=PERIODS.__getitem__, required=True, label_visibility="collapsed"
    )
    count = chosen or USUAL
    used = filled(api().get("/auth/me/usage/days", days=count)["days"], count, datetime.now(UTC).date())
    questions = sum(day["questions"] for day in used)
    read, written = sum(day["prompt_tokens"] for day in used), sum(day["completion_tokens"] for day in used)
    with st.container(horizontal=True):
        st.metric("Questions", f"{questions:,}")
        st.metric("Tokens read", f"{read:,}", help="What the model was given: questions, passages, history.")
        st.metric("Tokens written", f"{written:,}", help="What the model answered.")
    if not questions + read + written:
        st.caption("Nothing was used in this time.")
        return
    when = [day["day"] for day in used]
    st.caption("Questions per day")
    st.bar_chart(
        {"Day": when, "Questions": [day["questions"] for day in used]},
        x="Day",
        y="Questions",
        height=180,
        x_label="",
        y_label="",
        alt=f"Questions on each of the last {count} days; {questions:,} in all.",
    )
    st.caption("Tokens per day")
    st.bar_chart(
        {
            "Day": when,
            "Read": [day["prompt_tokens"] for day in used],
            "Written": [day["completion_tokens"] for day in used],
        },
        x="Day",
        y=["Read", "Written"],
        height=220,
        x_label="",
        y_label="",
        alt=f"Tokens read and written on each of the last {count} days; {read + written:,} in all.",
    )
    st.caption("Days are those of UTC.")


def filled(told: list[dict[str, Any]], count: int, today: date) -> list[dict[str, Any]]:
    """Return so many days up to today, oldest first; those that were left out were without use."""
    known = {date.fromisoformat(day["day"]): day for day in told}
    nothing = {"questions": 0, "prompt_tokens": 0, "completion_tokens": 0}
    every = [today - timedelta(days=back) for back in reversed(range(count))]
    return [{**nothing, **known.get(day, {}), "day": day} for day in every]
