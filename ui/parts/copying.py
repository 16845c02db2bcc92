"""A button that copies, at one click."""

from typing import Any

import streamlit as st

_HTML = (
    '<button type="button"><span class="icon" aria-hidden="true"></span><span class="words" aria-live="polite">Copy</span></button>'
)
_CSS = """
button{display:inline-flex;align-items:center;gap:.4rem;border:0;background:none;padding:.25rem 0;min-height:2.5rem;cursor:pointer;
font:inherit;font-size:.875rem;white-space:nowrap;color:var(--st-text-color);border-radius:.5rem}
button:hover{color:var(--st-primary-color)}
button:focus-visible{outline:2px solid var(--st-primary-color);outline-offset:2px}
.icon{width:.8em;height:.9em;
border:1.5px solid currentColor;border-radius:.2em;box-shadow:.22em -.22em 0 -1px var(--st-background-color),
.22em -.22em 0 0 currentColor}
"""
# The text travels as data, and is never part of the page. Where the clipboard is closed (plain HTTP on another host than this
# machine), a text field that nobody sees is copied from.
_JS = """
export default function({parentElement, data}) {
  const button = parentElement.querySelector("button"), words = parentElement.querySelector(".words");
  button.onclick = async () => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(data);
    } catch {
      const field = document.createElement("textarea");
      field.value = data;
      field.style.position = "fixed";
      field.style.opacity = "0";
      document.body.append(field);
      field.select();
      copied = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    words.textContent = copied ? "Copied" : "Not copied";
    setTimeout(() => { words.textContent = "Copy"; }, 2000);
  };
}
"""


_button = st.components.v2.component("docent_copy", html=_HTML, css=_CSS, js=_JS)


def copy(text: str, key: str) -> Any:
    """Show the button for a text."""
    return _button(key=key, data=text, width="content")
