"""The pages: ``streamlit run ui/app.py``."""

import logging
from pathlib import Path
from typing import Literal

import streamlit as st

from ui.parts import dialogs, look, way_in, way_out
from ui.parts.access import visitor


def main() -> None:
    """Let people in, and show the page that they want."""
    look.apply()
    who = visitor()
    pages = [
        st.Page("views/chat.py", title="Chat", icon=":material/forum:", default=True),
        st.Page("views/documents.py", title="Documents", icon=":material/description:"),
        st.Page("views/account.py", title="Account", icon=":material/person:"),
    ]
    # Others who know its address read the API's refusal, and strangers may be administrators.
    shown: Literal["visible", "hidden"] = "visible" if who.me is not None and who.me.get("role") == "admin" else "hidden"
    pages.append(st.Page("views/admin.py", title="Administration", icon=":material/monitoring:", visibility=shown))
    page = st.navigation(pages, position="hidden" if who.me is None else "sidebar")
    if who.error is not None:
        way_in.unavailable(who.error)
    elif who.me is None:
        way_in.welcome(who.said)
    else:
        dialogs.on_page(page.url_path)
        way_out.foot(who.me)
        page.run()


st.set_page_config(
    page_title="Docent", page_icon=str(Path(__file__).with_name("icon.png")), layout="centered", initial_sidebar_state="auto"
)
try:
    main()
except Exception:
    # The last net: the details are the log's business.
    logging.getLogger(__name__).exception("A page could not be shown.")
    st.error("Something went wrong on this page. The server's log says what.", icon=":material/error:")
    st.button("Try again", icon=":material/refresh:")
