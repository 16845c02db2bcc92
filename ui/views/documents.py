"""Documents: what was uploaded, and how far it is read."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.look import plain

STATES = {
    "ready": (":material/check_circle: Ready", "green"),
    "failed": (":material/error: Failed", "red"),
    "pending": (":material/schedule: Waiting", "gray"),
    "processing": (":material/sync: Being read", "blue"),
}
STAGES = {"reading": "Reading the file", "embedding": "Indexing its passages"}
PREVIEW = 4000
UNITS = ("bytes", "KB", "MB", "GB", "TB")


def main() -> None:
    """Show everything that was uploaded, and take more."""
    st.title("Documents")
    _storage()
    number = st.session_state.setdefault("uploads", 0)
    files = st.file_uploader("Drop files here", accept_multiple_files=True, key=f"uploads-{number}")
    if files and st.button(f"Upload {len(files)} file{'s' if len(files) > 1 else ''}", type="primary"):
        _upload(files)
    for problem in st.session_state.pop("refused", []):
        st.error(problem, icon=":material/error:")
    _list()


def _upload(files: list[Any]) -> None:
    refused = []
    with st.status("Uploading", expanded=True) as state:
        for file in files:
            try:
                api().upload(file.name, file)
                st.write(f":material/check: {file.name}")
            except ApiError as error:
                refused.append(f"{file.name}: {error.message}")
        state.update(label="Uploaded", state="error" if refused else "complete")
    st.session_state.refused = refused
    st.session_state.uploads += 1
    st.rerun()


def _storage() -> None:
    try:
        limits = {limit["name"]: limit for limit in api().get("/auth/me/usage")["limits"]}
    except ApiError as error:
        failed(error)
        return
    stored, count = limits["stored_bytes"], limits["documents"]
    share = min(stored["used"] / stored["limit"], 1.0) if stored["limit"] else 1.0
    st.progress(share, f"{count['used']:,} of {count['limit']:,} documents, {size(stored['used'])} of {size(stored['limit'])} used")


@st.fragment(run_every=2)
def _list() -> None:
    try:
        documents = api().all("/chat/documents", most=500)
    except ApiError as error:
        failed(error)
        return
    if not documents:
        st.info(
            "Nothing here yet. Drop a file above: PDF, Office, Markdown, HTML, tables, mail, code and more.",
            icon=":material/upload_file:",
        )
    for document in documents:
        _row(document)


def _row(document: dict[str, Any]) -> None:
    key, place = document["id"], f"/chat/documents/{document['id']}"
    with st.container(border=True):
        words, color = STATES[document["status"]]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain(document['title'])}**")
            st.badge(words, color=color)  # type: ignore[arg-type] # one of the names above
        facts = [document["filename"], size(document["size"])]
        facts += [f"{document['pages']} pages"] if document["pages"] else []
        facts += [f"{document['chunks']:,} passages"] if document["chunks"] else []
        st.caption(plain(" · ".join(facts)))
        progress = document["progress"]
        if document["status"] == "processing":
            done = progress["done"] / progress["total"] if progress["total"] else 0.0
            st.progress(min(done, 1.0), STAGES.get(document["stage"] or "", "At work"))
        if document["waiting_for"]:
            st.caption(f":material/hourglass: Waits for: {document['waiting_for']}")
        if document["error"] is not None:
            st.error(document["error"]["message"])
        for note in document["notes"]:
            st.caption(f":material/info: {plain(note)}")
        with st.container(horizontal=True):
            if document["status"] == "failed" and st.button("Try again", icon=":material/refresh:", key=f"retry-{key}"):
                _do(f"{place}/retry")
            if document["status"] in {"pending", "processing"} and st.button(
                "Cancel", icon=":material/close:", key=f"cancel-{key}"
            ):
                _do(f"{place}/cancel")
            if document["live_version"] and st.button("Read", icon=":material/visibility:", key=f"read-{key}"):
                _preview(document)
            if st.button("Delete", icon=":material/delete:", key=f"delete-{key}"):
                _confirm_deletion(document)


def _do(path: str) -> None:
    try:
        api().post(path)
    except ApiError as error:
        failed(error)
    else:
        st.rerun(scope="fragment")


@st.dialog("What was read", width="large")
def _preview(document: dict[str, Any]) -> None:
    st.subheader(document["title"], anchor=False)
    try:
        found = api().get(f"/chat/documents/{document['id']}/text", start=0, end=PREVIEW)
    except ApiError as error:
        failed(error)
        return
    st.text(found["text"])
    if len(found["text"]) == PREVIEW:
        st.caption("This is the beginning.")


@st.dialog("Delete this document?")
def _confirm_deletion(document: dict[str, Any]) -> None:
    st.write(f"“{document['title']}” will be gone from every answer at once, and from disk within about an hour.")
    if st.button("Delete", type="primary", key="really"):
        try:
            api().delete(f"/chat/documents/{document['id']}")
        except ApiError as error:
            failed(error)
        else:
            st.rerun()


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {UNITS[-1]}"


main()
