"""Where files are dropped, and a line for each until it is over."""

from time import monotonic

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ui.parts.access import api
from ui.parts.documents.facts import counted, size
from ui.parts.documents.uploads import Upload, Uploads
from ui.parts.look import plain

GLANCE_SECONDS = 0.5
SETTLE_SECONDS = 5
"""How often the list below is loaded anew while many files are sent."""
_KEY = "drop"
_STYLE = """
<style>
.st-key-drop .stFileChip:not(:has([data-testid="stFileChipIconError"],[data-testid="stFileChipIconSpinner"])),
.st-key-drop div:has(> .stFileChip:only-child):not(:has([data-testid="stFileChipIconError"],[data-testid="stFileChipIconSpinner"]))
{display:none}
.st-key-drop button[aria-label="Add files"]{width:auto;height:auto;white-space:nowrap;
padding:.4rem .8rem;border:1px solid;border-radius:.5rem}
.st-key-drop button[aria-label="Add files"]::after{content:"Upload more";margin-left:.4rem}
</style>
"""
"""The field lists what it took; of that, only what is on its way to us and what is too large for us is not listed below it."""
ACCEPTED = "PDF, Word, Excel, PowerPoint, OpenDocument, EPUB, mail, web pages, Markdown, tables, text and source code."


def uploads() -> Uploads:
    """Return the uploads of this visit."""
    found: Uploads = st.session_state.setdefault("uploads", Uploads())
    return found


def drop() -> None:
    """Take files: they are sent as soon as they are chosen."""
    st.html(_STYLE)
    st.file_uploader("Drop files here to upload them", accept_multiple_files=True, key=_KEY, on_change=_take, help=ACCEPTED)
    _settle()
    if uploads().all:
        st.fragment(_lines, run_every=GLANCE_SECONDS if uploads().running else None)(watched=uploads().running)


def _take() -> None:
    """Send what was chosen. From now on its bytes are kept by its upload only, for as long as that needs them."""
    files = [file for file in st.session_state[_KEY] if isinstance(file, UploadedFile)]
    uploads().add(api(), files)
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def _settle() -> None:
    """Leave to the list what was accepted."""
    st.session_state.settled = monotonic()
    if accepted := uploads().forget_accepted():
        st.toast(f"{counted(accepted, 'file')} uploaded.", icon=":material/check:")


def _lines(*, watched: bool) -> None:
    every = uploads().all
    over = watched and not uploads().running
    fresh = any(upload.state == "accepted" for upload in every) and not uploads().pause
    if over or (fresh and monotonic() - st.session_state.settled > SETTLE_SECONDS):
        st.rerun()
    pending = [upload for upload in every if not upload.over]
    if len(every) > 1 and pending:
        st.caption(f"{len(every) - len(pending):,} of {counted(len(every), 'file')} sent")
    for number, upload in enumerate(every):
        _line(number, upload)
    refused = [upload for upload in every if upload.state == "refused"]
    if len(refused) > 1:
        st.button("Dismiss all", key="dismiss-all", on_click=uploads().dismiss, args=refused)


def _line(number: int, upload: Upload) -> None:
    name = f"**{plain(upload.name)}** · {size(upload.size)}"
    if upload.state == "refused":
        _refused(number, upload)
    elif upload.state == "sending":
        st.progress(upload.share, f":material/upload: {name} · Sending")
    elif upload.state == "limited":
        st.caption(f":material/hourglass: {name} · Goes on in {uploads().pause:.0f} s: your account has sent much in this minute")
    elif upload.state == "waiting":
        st.caption(f":material/schedule: {name} · Waiting")
    else:
        st.caption(f":material/check: {name} · Uploaded")


def _refused(number: int, upload: Upload) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"refused-{number}"):
        st.error(f"**{plain(upload.name)}**: {plain(upload.sentence)}", icon=":material/error:", width="stretch")
        if upload.again and st.button("Try again", icon=":material/refresh:", key=f"send-again-{number}"):
            uploads().again(api(), upload)
            st.rerun()  # The whole page, for only that begins to look at the lines again.
        st.button(
            "Dismiss", icon=":material/close:", type="tertiary", key=f"dismiss-{number}", on_click=uploads().dismiss, args=(upload,)
        )
