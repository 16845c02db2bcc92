"""The vector index: rebuilding it, and changing the embedding model."""

from typing import Any

import streamlit as st

from ui.parts.access import api
from ui.parts.administration.place import alone, said
from ui.parts.look import plain

EMBEDDERS = {
    "ollama": "Ollama",
    "openai": "OpenAI",
    "vllm": "vLLM",
    "llamacpp": "llama.cpp",
    "onnx": "ONNX, from a folder",
    "hashing": "Hashing, without a model",
}


def reindex() -> None:
    """Show how far it is, and what can be started."""
    said()
    _state()
    st.subheader("Rebuild", anchor=False)
    st.caption(
        "Fills the vector index anew from the vectors in PostgreSQL. Nothing is embedded, and questions are answered meanwhile."
    )
    if st.button("Rebuild the index", icon=":material/build:"):
        _confirm_rebuild()
    st.subheader("Change the embedding model", anchor=False)
    st.caption(
        "Everything is embedded with another model, beside the present one. Questions are answered by the old one until then."
    )
    with st.form("embedder"):
        embedder = st.selectbox("Embedder", list(EMBEDDERS), format_func=EMBEDDERS.__getitem__)
        model = st.text_input(
            "Model", max_chars=200, placeholder="nomic-embed-text", help="As its server names it. Hashing has none."
        )
        if st.form_submit_button("Change the model"):
            _confirm_change(embedder, model.strip())


@st.fragment(run_every=10)
def _state() -> None:
    with alone():
        state = api().get("/admin/reindex")
        owners, switched, missing = state["owners"], state["switched"], state["chunks_missing"]
        st.markdown(f"Embedder: **{plain(state['embedder'])}**")
        if state["complete"]:
            st.success(f"Complete: {_accounts(owners)} with documents, nothing is missing.", icon=":material/check:")
        else:
            st.progress(
                min(switched / owners, 1.0) if owners else 0.0,
                f"{switched:,} of {_accounts(owners)} are switched, {missing:,} passages still have to be embedded",
            )
        _retired(state)


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"


def _retired(state: dict[str, Any]) -> None:
    if not state["retired"]:
        return
    st.caption(f"{state['retired']:,} old sets of vectors are kept: a change back to their model embeds nothing anew.")
    if st.button("Remove old vectors", icon=":material/delete:", key="drop-old-vectors"):
        _confirm_removal()


@st.dialog("Rebuild the vector index?")
def _confirm_rebuild() -> None:
    st.write("Every account's index is filled anew, one after the other. On a large installation this takes a while.")
    if st.button("Rebuild", type="primary"):
        _start({}, "The index is being rebuilt.")


@st.dialog("Change the embedding model?")
def _confirm_change(embedder: str, model: str) -> None:
    name = EMBEDDERS[embedder] + (f", {model}" if model else "")
    st.write(f"Every passage of every account is embedded with {plain(name)}. That takes time, and what its provider asks for it.")
    if st.button("Change", type="primary"):
        _start({"embedder": embedder, "model": model or None}, "Everything is being embedded anew.")


def _start(body: dict[str, Any], sentence: str) -> None:
    with alone():
        api().post("/admin/reindex", body)
        said(sentence)
        st.rerun()


@st.dialog("Remove old vectors?")
def _confirm_removal() -> None:
    st.write("Answers come from none of them. Going back to their embedding model means to embed everything again.")
    if st.button("Remove", type="primary"):
        with alone():
            api().delete("/admin/reindex")
            said("Old vectors are removed.")
            st.rerun()
