"""What the theme cannot say."""

import streamlit as st

_STYLE = """
<style>
.passage{white-space:pre-wrap;line-height:1.6;max-height:60vh;overflow:auto}
.passage mark{background:#ffe69a;color:#1c1d22;padding:.1em 0;border-radius:.2em}
.go{display:inline-block;
padding:.55rem 1.1rem;margin-right:.75rem;border-radius:.5rem;border:1px solid currentColor;text-decoration:none}
</style>
"""


def apply() -> None:
    """Add the rules to the page."""
    st.html(_STYLE)


def plain(text: str) -> str:
    """Return a text as Markdown shows it: as it is written."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!|<>~$:&" else sign for sign in text).replace("\n", "  \n")


def prose(text: str) -> str:
    """Return the Markdown of an answer; dollars are money, and no formulas."""
    return text.replace("$", "\\$")
