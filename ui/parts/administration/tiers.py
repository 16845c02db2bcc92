"""Tiers: what accounts may use."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.administration.accounts import TIERS
from ui.parts.administration.place import alone, said

LIMITS = {
    "requests_per_minute": ("Requests in a minute", 1),
    "concurrent_streams": ("Answers at the same time", 0),
    "documents": ("Documents", 0),
    "tokens_per_day": ("Tokens a day", 0),
}
MEGABYTE = 1_000_000


def tiers() -> None:
    """Show the limits of the tier that is chosen, to be changed."""
    said()
    with alone():
        found = {tier["name"]: tier for tier in api().get("/admin/tiers")["items"]}
        name = st.segmented_control(
            "Tier",
            list(found),
            default=next(iter(found)),
            format_func=lambda name: TIERS.get(name, name),
            required=True,
            key="tier",
        )
        _limits(found[name or next(iter(found))])


def _limits(tier: dict[str, Any]) -> None:
    name = tier["name"]
    stored_mb = tier["stored_bytes"] / MEGABYTE
    models = "\n".join(tier["models"] or [])
    with st.form(f"tier-{name}"):
        wanted: dict[str, Any] = {
            limit: int(st.number_input(label, least, value=tier[limit], step=1, key=f"{limit}-{name}"))
            for limit, (label, least) in LIMITS.items()
        }
        megabytes = st.number_input(
            "Stored files, in megabytes", 0.0, value=stored_mb, step=100.0, format="%.1f", key=f"stored-{name}"
        )
        patterns = st.text_area(
            "Models that may be named, one in each line",
            models,
            key=f"models-{name}",
            help="Ids of models, in which * stands for any text. Without any line, all may be named.",
        )
        if st.form_submit_button("Save", type="primary"):
            wanted["stored_bytes"] = tier["stored_bytes"] if megabytes == stored_mb else round(megabytes * MEGABYTE)
            wanted["models"] = [line.strip() for line in patterns.splitlines() if line.strip()] or None
            _change(tier, wanted)


def _change(tier: dict[str, Any], wanted: dict[str, Any]) -> None:
    changes = {limit: value for limit, value in wanted.items() if value != tier[limit]}
    if not changes:
        st.info("Nothing was changed.", icon=":material/info:")
        return
    try:
        api().patch(f"/admin/tiers/{tier['name']}", changes)
    except ApiError as error:
        failed(error)
    else:
        said("Saved. It holds for all accounts of the tier within five seconds.")
        st.rerun()
