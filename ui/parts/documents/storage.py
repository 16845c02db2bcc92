"""How much of the account's room is used."""

import streamlit as st

from ui.client import Api, ApiError
from ui.parts.access import failed
from ui.parts.documents.facts import counted, size
from ui.parts.understanding import understanding

NEARLY = 0.9


def storage(api: Api) -> None:
    """Show it, and warn before it ends."""
    try:
        with understanding():
            usage = api.get("/auth/me/usage")
            limits = {limit["name"]: (int(limit["used"]), int(limit["limit"])) for limit in usage["limits"]}
            stored, count, enforced = limits["stored_bytes"], limits["documents"], bool(usage["enforced"])
    except ApiError as error:
        failed(error)
        return
    words = f"{count[0]:,} of {count[1]:,} documents · {size(stored[0])} of {size(stored[1])}"
    if not enforced and not count[0]:
        return
    if not enforced:
        st.caption(f"{counted(count[0], 'document')} · {size(stored[0])} used")
        return
    st.progress(max(_share(stored), _share(count)), words)
    for share, what in ((_share(stored), "storage"), (_share(count), "number of documents")):
        if share >= 1:
            st.error(f"The {what} that your account may use is used up. Delete something to upload more.", icon=":material/block:")
        elif share >= NEARLY:
            st.warning(f"{share:.0%} of the {what} that your account may use is used up.", icon=":material/warning:")


def _share(limit: tuple[int, int]) -> float:
    used, most = limit
    return min(used / most, 1.0) if most else 1.0
