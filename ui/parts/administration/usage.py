"""What all accounts together have used, day by day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from ui.parts.access import api
from ui.parts.administration.place import alone

PERIODS = {7: "7 days", 30: "30 days", 90: "90 days"}


def usage() -> None:
    """Show questions, tokens and active accounts of a period."""
    period = st.segmented_control(
        "Period", list(PERIODS), default=30, format_func=PERIODS.__getitem__, required=True, key="usage-period"
    )
    with alone():
        days = every_day(api().get("/admin/usage", days=period)["days"], int(period or 30), datetime.now(UTC).date())
        if not any(day["questions"] for day in days):
            st.info(f"Nobody has asked anything in the last {period} days.", icon=":material/bar_chart:")
            return
        _plot("Questions", days, {"Questions": "questions"})
        _plot("Tokens", days, {"Read": "prompt_tokens", "Written": "completion_tokens"})
        _plot("Active accounts", days, {"Accounts": "accounts"}, total=False)
        st.caption("Days are days of UTC. Active is who asked something.")


def every_day(found: list[dict[str, Any]], count: int, today: date) -> list[dict[str, Any]]:
    """Return ``count`` days up to today, the oldest first; those that were left out were without use."""
    of_day = {day["day"]: day for day in found}
    unused = {"questions": 0, "prompt_tokens": 0, "completion_tokens": 0, "accounts": 0}
    wanted = ((today - timedelta(days=ago)).isoformat() for ago in reversed(range(count)))
    return [{**unused, **of_day.get(day, {}), "day": day} for day in wanted]


def _plot(title: str, days: list[dict[str, Any]], series: dict[str, str], *, total: bool = True) -> None:
    st.subheader(title, anchor=False)
    sums = {label: sum(day[name] for day in days) for label, name in series.items()}
    most = max(sum(day[name] for name in series.values()) for day in days)
    words = ", ".join(f"{label.lower()} {count:,}" for label, count in sums.items()) if len(sums) > 1 else None
    said = (
        f"{sum(sums.values()):,} in all{f' ({words})' if words else ''}, {most:,} on the busiest day"
        if total
        else f"{most:,} on the busiest day"
    )
    st.caption(f"{said}.")
    rows = [{"Day": date.fromisoformat(day["day"]), **{label: day[name] for label, name in series.items()}} for day in days]
    st.bar_chart(rows, x="Day", y=list(series), y_label=title, x_label="", height=220, alt=f"{title} for each day: {said}.")
