"""One's own account: who one is, what may get in, and what was used."""

import streamlit as st

from ui.parts.access import attempt
from ui.parts.account import data, keys, password, profile, sign_ins, usage

TABS = {
    "Profile": (profile.show, password.show, data.show),
    "API keys": (keys.show,),
    "Sign-ins": (sign_ins.show,),
    "Usage": (usage.limits, usage.days),
}


def main() -> None:
    """Show the parts of the page; one that fails leaves the others as they are."""
    st.title("Account", anchor=False)
    for tab, parts in zip(st.tabs(list(TABS)), TABS.values(), strict=True):
        with tab:
            for show in parts:
                attempt(show)


main()
