"""Accounts: who is here, and what each may do."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.administration.place import KNOWN_ACCOUNTS, alone, moment, said
from ui.parts.look import plain
from ui.settings import public_url

ROLES = {"user": "User", "admin": "Administrator"}
TIERS = {"free": "Free", "pro": "Pro", "enterprise": "Enterprise"}


def accounts() -> None:
    """Show the table, and what can be done with the row that is selected."""
    said()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Search for a name or an address", key="accounts-search", max_chars=200).strip()
        if st.button("New account", icon=":material/person_add:"):
            _new()
    with alone():
        users = api().all("/users", most=KNOWN_ACCOUNTS, q=wanted or None)
        if not users:
            st.info("No account has that in its name or address." if wanted else "Nobody is here.", icon=":material/search:")
            return
        chosen = _table(users, wanted)
        if len(users) >= KNOWN_ACCOUNTS:
            st.caption(f"These are the newest {KNOWN_ACCOUNTS}. Search for others.")
        if chosen is None:
            st.caption("Select a row to change an account.")
        else:
            _account(chosen)


def _table(users: list[dict[str, Any]], wanted: str) -> dict[str, Any] | None:
    rows = [
        {
            "Name": user["username"],
            "Email": user["email"],
            "Role": ROLES.get(user["role"], user["role"]),
            "Tier": TIERS.get(user["tier"], user["tier"]),
            "State": "Active" if user["is_active"] else "Disabled",
            "Since": moment(user["created_at"]),
        }
        for user in users
    ]
    # A selection is the number of a row: it holds for this list only.
    state = st.dataframe(
        rows,
        key=f"accounts-{wanted}-{len(users)}-{users[0]['id']}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Since": st.column_config.DatetimeColumn(format="YYYY-MM-DD")},
    )
    selected = [row for row in state["selection"]["rows"] if row < len(users)]
    return users[selected[0]] if selected else None


def _account(user: dict[str, Any]) -> None:
    key = user["id"]
    with st.container(border=True):
        st.subheader(plain(user["username"]), anchor=False)
        st.caption(plain(" · ".join(filter(None, (user["full_name"], user["email"])))))
        with st.form(f"account-{key}", border=False):
            role = st.selectbox(
                "Role", list(ROLES), list(ROLES).index(user["role"]), format_func=ROLES.__getitem__, key=f"role-{key}"
            )
            tier = st.selectbox(
                "Tier", list(TIERS), list(TIERS).index(user["tier"]), format_func=TIERS.__getitem__, key=f"tier-{key}"
            )
            active = st.toggle(
                "May sign in",
                user["is_active"],
                key=f"active-{key}",
                help="Off ends every sign-in and API key at once, and keeps the data.",
            )
            if st.form_submit_button("Save", type="primary"):
                _change(user, {"role": role, "tier": tier, "is_active": active})
        with st.container(horizontal=True):
            if st.button("Make a reset link", icon=":material/key:", key=f"reset-{key}"):
                _reset_link(user)
            if st.button("Delete", icon=":material/delete:", key=f"delete-{key}"):
                _confirm_deletion(user)


def _change(user: dict[str, Any], wanted: dict[str, Any]) -> None:
    changes = {name: value for name, value in wanted.items() if value != user[name]}
    if not changes:
        st.info("Nothing was changed.", icon=":material/info:")
        return
    try:
        api().patch(f"/users/{user['id']}", changes)
    except ApiError as error:
        failed(error)
    else:
        said(f"{plain(user['username'])} was changed.")
        st.rerun()


@st.dialog("New account")
def _new() -> None:
    with alone(), st.form("new-account", border=False):
        name = st.text_input("Username", max_chars=64, help="3 to 64 letters, digits, dots, dashes and underscores.")
        email = st.text_input("Email", max_chars=254)
        full_name = st.text_input("Full name (optional)", max_chars=200)
        password = st.text_input("Password", type="password", autocomplete="new-password", help="At least 8 characters.")
        role = st.selectbox("Role", list(ROLES), format_func=ROLES.__getitem__)
        tier = st.selectbox("Tier", list(TIERS), format_func=TIERS.__getitem__)
        if st.form_submit_button("Make the account", type="primary"):
            body = {"username": name, "email": email, "password": password, "role": role, "tier": tier}
            made = api().post("/users", {**body, "full_name": full_name.strip() or None})
            said(f"The account {plain(made['username'])} is there. Tell its owner the password in a way that you trust.")
            st.rerun()


@st.dialog("Reset link")
def _reset_link(user: dict[str, Any]) -> None:
    """Make a token and show it. Nothing in here runs it again, so it is shown this once."""
    with alone():
        token = api().post(f"/users/{user['id']}/reset-link")["token"]
        st.write(
            f"With this token {plain(user['username'])} sets a new password, once, within 24 hours. So can anybody who has it: "
            "hand it over in a way that you trust. It is shown this once."
        )
        st.code(token, language=None, wrap_lines=True)
        st.caption("As a command, with the new password in place of the dots:")
        body = f'{{"token": "{token}", "new_password": "..."}}'
        address = f"{public_url()}/api/v1/auth/reset-password"
        st.code(f"curl {address} -H 'Content-Type: application/json' -d '{body}'", language="sh", wrap_lines=True)


@st.dialog("Delete this account?")
def _confirm_deletion(user: dict[str, Any]) -> None:
    st.write(
        f"{plain(user['username'])} and all documents, conversations and keys of this account will be gone: out of sight at once, "
        "and from disk within about an hour. This cannot be undone."
    )
    typed = st.text_input("Type the username to confirm", key=f"confirm-{user['id']}")
    if st.button("Delete the account", type="primary", disabled=typed != user["username"]):
        with alone():
            api().delete(f"/users/{user['id']}")
            said(f"The account {plain(user['username'])} was deleted.")
            st.rerun()
