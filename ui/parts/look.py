"""What the theme cannot say."""

from base64 import b64encode
from pathlib import Path

import streamlit as st

_STYLE = f"<style>{Path(__file__).with_name('look.css').read_text(encoding='utf-8')}</style>"
_FILE = Path(__file__).parents[1] / "icon.svg"
ICON = f'<img alt="" src="data:image/svg+xml;base64,{b64encode(_FILE.read_bytes()).decode()}">'
"""The same that the API's own pages show."""


def apply() -> None:
    """Add the rules to the page."""
    st.html(_STYLE)


def plain(text: str) -> str:
    """Return a text as Markdown shows it: as it is written."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!|<>~$:&" else sign for sign in text).replace("\n", "  \n")
