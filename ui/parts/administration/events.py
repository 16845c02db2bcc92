"""Security events, newest first."""

import json
from typing import Any

import streamlit as st

from ui.parts.administration.place import alone, called, moment, names, part_of

KINDS = {
    "account_registered": "Registered",
    "account_created": "Account made",
    "account_changed": "Account changed",
    "account_exported": "Everything exported",
    "account_deleted": "Account deleted",
    "signed_in": "Signed in",
    "sign_in_failed": "Wrong password",
    "sign_in_revoked": "Sign-in ended",
    "refresh_token_reused": "Copied token, sign-in ended",
    "password_changed": "Password changed",
    "password_reset": "Password reset",
    "reset_link_made": "Reset link made",
    "tier_changed": "Tier changed",
    "key_created": "API key made",
    "key_revoked": "API key revoked",
}


def events() -> None:
    """Show them, all or those that were chosen."""
    known = names()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            "What happened", list(KINDS), None, format_func=KINDS.__getitem__, placeholder="Anything", key="event-kind"
        )
        account = st.selectbox(
            "Account", list(known), None, format_func=lambda id_: known.get(id_, id_), placeholder="Anybody", key="event-account"
        )
    with alone():
        found = part_of("/admin/audit", "events", kind=kind, user_id=account)
        if not found:
            st.info("Nothing like that has happened." if kind or account else "Nothing has happened yet.", icon=":material/info:")
            return
        st.dataframe(
            [_row(event, known) for event in found],
            hide_index=True,
            height="content",
            column_config={"When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")},
        )
        st.caption(f"Times are those of your time zone, {st.context.timezone or 'UTC'}.")


def _row(event: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    return {
        "When": moment(event["occurred_at"]),
        "What": KINDS.get(event["kind"], event["kind"]),
        "By": called(known, event["actor_id"]),
        "Account": called(known, event["subject_id"]),
        "From": event["address"] or "",
        "Details": ", ".join(f"{name}: {_told(value)}" for name, value in event["details"].items()),
    }


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
