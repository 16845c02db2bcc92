"""How the services are doing that Docent depends on, looked at again every ten seconds."""

from datetime import datetime
from typing import Any

import streamlit as st

from ui.parts.access import api
from ui.parts.administration.place import alone, zone
from ui.parts.look import plain

SLOW_MS = 1000
STATES = {
    "up": (":material/check_circle: Up", "green"),
    "slow": (":material/hourglass: Slow", "orange"),
    "down": (":material/error: Down", "red"),
}


@st.fragment(run_every=10)
def services() -> None:
    """Show them all."""
    with alone():
        found = api().status()
        down = [service["name"] for service in found if _state(service) == "down"]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"As of {datetime.now(zone()):%H:%M:%S}. Looked at again every ten seconds.")
            st.button("Refresh", icon=":material/refresh:", key="services-refresh")
        if down:
            st.warning(f"Down: {plain(', '.join(down))}.", icon=":material/warning:")
        elif found:
            st.success("All services are up.", icon=":material/check:")
        else:
            st.info("There is no service to look at.", icon=":material/info:")
        for service in found:
            _row(service)


def _state(service: dict[str, Any]) -> str:
    if service["status"] != "up":
        return "down"
    return "slow" if service["response_time_ms"] > SLOW_MS else "up"


def _row(service: dict[str, Any]) -> None:
    words, color = STATES[_state(service)]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain(service['name'])}**")
            st.badge(words, color=color)  # type: ignore[arg-type] # one of the names above
        facts = [f"{service['response_time_ms']:,.0f} ms", service["url"] or "", service["detail"] or ""]
        st.caption(plain(" · ".join(fact for fact in facts if fact)))
