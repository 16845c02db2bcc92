"""Administration: who is here, and how everything is doing."""

from contextlib import suppress

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.administration.accounts import accounts
from ui.parts.administration.events import events
from ui.parts.administration.queue import queue
from ui.parts.administration.reindex import reindex
from ui.parts.administration.services import services
from ui.parts.administration.tiers import tiers
from ui.parts.administration.usage import usage

TABS = {
    "Services": services,
    "Users": accounts,
    "Queue": queue,
    "Usage": usage,
    "Tiers": tiers,
    "Search index": reindex,
    "Events": events,
}


def main() -> None:
    """Show the tab that is looked at, for administrators."""
    st.title("Administration", anchor=False)
    refusal = _refusal()
    if refusal is not None:
        failed(refusal)
        return
    # Only the open one runs; the address keeps which one it is.
    for tab, show in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _refusal() -> ApiError | None:
    """Return what the API says to an account that may not administer it. Whatever else is wrong, each tab says for itself."""
    with suppress(ValueError):  # No JSON: something else answers in the API's place.
        try:
            api().get("/users", limit=1)
        except ApiError as error:
            return error if error.status in {401, 403} else None
    return None


main()
