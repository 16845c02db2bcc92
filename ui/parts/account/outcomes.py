"""What was done is said where it was asked for, on the run after the one that did it."""

import streamlit as st


def done(part: str, sentence: str) -> None:
    """Show the whole page again, and in this part of it the sentence."""
    st.session_state[f"done-{part}"] = sentence
    st.rerun()


def tell(part: str) -> None:
    """Show what was done, once."""
    sentence = st.session_state.pop(f"done-{part}", None)
    if sentence is not None:
        st.success(sentence, icon=":material/check:")


def wrong(sentence: str) -> None:
    """Say what is wrong with the field above."""
    st.error(sentence, icon=":material/error:")
