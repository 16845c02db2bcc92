"""Administration: who is here, and how everything is doing."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed

ROLES = ("user", "admin")
TIERS = ("free", "pro", "enterprise")


def main() -> None:
    """Show the parts of the page."""
    st.title("Administration")
    tabs = st.tabs(["Services", "Users", "Usage", "Events"])
    for tab, show in zip(tabs, (_services, _users, _usage, _events), strict=True):
        with tab:
            try:
                show()
            except ApiError as error:
                failed(error)


def _services() -> None:
    for service in api().status():
        up = service["status"] == "up"
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{service['name']}** {service['url'] or ''}")
            st.badge(f"{service['status']} · {service['response_time_ms']:.0f} ms", color="green" if up else "red")
        if service.get("detail"):
            st.caption(service["detail"])


def _users() -> None:
    wanted = st.text_input("Search for a name or an address")
    users = api().all("/users", most=200, q=wanted or None)
    st.dataframe(
        [{name: user[name] for name in ("username", "email", "role", "tier", "is_active", "created_at")} for user in users],
        hide_index=True,
    )
    chosen = st.selectbox("Change", users, format_func=lambda user: user["username"], index=None)
    if chosen is not None:
        _change(chosen)


def _change(user: dict[str, Any]) -> None:
    with st.form(f"user-{user['id']}"):
        role = st.selectbox("Role", ROLES, ROLES.index(user["role"]))
        tier = st.selectbox("Tier", TIERS, TIERS.index(user["tier"]))
        active = st.toggle("May sign in", user["is_active"])
        if st.form_submit_button("Save", type="primary"):
            api().patch(f"/users/{user['id']}", {"role": role, "tier": tier, "is_active": active})
            st.rerun()


def _usage() -> None:
    days = api().get("/admin/usage")["items"]
    st.bar_chart(
        [{"day": day["day"], "tokens": day["prompt_tokens"] + day["completion_tokens"]} for day in days], x="day", y="tokens"
    )
    st.bar_chart([{"day": day["day"], "questions": day["questions"]} for day in days], x="day", y="questions")


def _events() -> None:
    events = api().get("/admin/audit", limit=100)["items"]
    st.dataframe(events, hide_index=True)


main()
