"""The pages: ``streamlit run ui/app.py``."""

from pathlib import Path

import streamlit as st

from ui.parts import look
from ui.parts.access import signed_in_api

st.set_page_config(
    page_title="Docent", page_icon=str(Path(__file__).with_name("icon.png")), layout="centered", initial_sidebar_state="auto"
)
look.apply()
me = signed_in_api()

pages = [
    st.Page("views/chat.py", title="Chat", icon=":material/forum:", default=True),
    st.Page("views/documents.py", title="Documents", icon=":material/description:"),
    st.Page("views/account.py", title="Account", icon=":material/person:"),
]
if me["role"] == "admin":
    pages.append(st.Page("views/admin.py", title="Administration", icon=":material/monitoring:"))
st.navigation(pages).run()
