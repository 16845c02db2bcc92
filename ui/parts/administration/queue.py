"""The queue: what waits, what runs, and what has failed."""

from typing import Any

import streamlit as st

from ui.parts.access import api
from ui.parts.administration.place import alone, called, lasting, moment, names, part_of

JOBS = {
    "index_document": "Index a document",
    "confirm_vectors": "Confirm a document's vectors",
    "tidy_document": "Tidy up old versions",
    "discard_file": "Remove a file",
    "purge_document": "Remove a deleted document",
    "purge_file": "Remove a deleted document's file",
    "build_generation": "Embed with a new model",
    "rebuild_collection": "Rebuild a vector index",
    "drop_collection": "Remove an old vector index",
    "purge_account": "Remove a deleted account",
    "purge_account_files": "Remove a deleted account's files",
    "answer_task": "Answer in the background",
    "rescue_stalled_jobs": "Take over what dead workers left",
    "reconcile": "Queue again what was lost",
    "verify_index": "Verify the vector index",
}
REASONS = {
    "document_unreadable": "The file is damaged, or not what its name says.",
    "document_encrypted": "The file is protected by a password.",
    "document_without_text": "There is no text in the file.",
    "document_too_complex": "The file is too complex to be read.",
    "parser_timeout": "Reading the file took too long.",
    "parser_out_of_memory": "Reading the file took too much memory.",
    "parser_crashed": "Reading the file crashed.",
    "embedding_refused": "The embedding model refused the text.",
    "blob_not_found": "The uploaded file is not in the store.",
    "indexing_failed": "Indexing failed. The log says more.",
    "indexing_crashed": "Indexing crashed three times. The log says more.",
    "cancelled": "It was cancelled.",
    "answer_crashed": "Answering crashed three times. The log says more.",
    "answer_cut": "The language model broke off.",
    "model_unavailable": "The language model was not available.",
    "model_missing": "The language model is not installed.",
    "model_refused": "The language model refused the request.",
}
KINDS = {"document": "Document", "task": "Question in the background"}


@st.fragment(run_every=10)
def queue() -> None:
    """Show the queue as it is, looked at again every ten seconds."""
    with alone():
        state = api().get("/admin/queue")
        _numbers(state)
        _depth(state["depth"])
        _workers(state["workers"])
        known = names()
        _jobs("At work", "Since", state["running"], known)
        _jobs("Ended in a defect", "Failed", state["failed"], known)
    with alone():
        _failures()


def _numbers(state: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        for label, name in (("Waiting", "waiting"), ("At work", "running"), ("Failed", "failed")):
            st.metric(label, f"{sum(depth[name] for depth in state['depth']):,}", border=True)
        oldest = state["oldest_waiting_seconds"]
        st.metric("Longest wait", "None" if oldest is None else lasting(oldest), border=True)
    if not any(worker["alive"] for worker in state["workers"]):
        st.warning("No worker is alive, so nothing in the queue gets done. Start `docent worker`.", icon=":material/warning:")


def _depth(depths: list[dict[str, Any]]) -> None:
    columns = {"waiting": "Waiting", "scheduled": "For later", "running": "At work", "failed": "Failed"}
    rows = [{"Work": _work(depth["job"]), **{title: depth[name] for name, title in columns.items()}} for depth in depths]
    if rows:
        st.dataframe(rows, hide_index=True)
    else:
        st.caption("The queue is empty.")


def _work(job: str) -> str:
    return JOBS.get(job, job)


def _workers(workers: list[dict[str, Any]]) -> None:
    st.subheader("Workers", anchor=False)
    if workers:
        rows = [
            {
                "Worker": worker["id"],
                "State": "Alive" if worker["alive"] else "Not heard of",
                "Jobs": worker["running"],
                "Last heard of": moment(worker["last_heartbeat"]),
            }
            for worker in workers
        ]
        st.dataframe(rows, hide_index=True, column_config={"Last heard of": _TIME})


def _jobs(title: str, since: str, jobs: list[dict[str, Any]], known: dict[str, str]) -> None:
    if not jobs:
        return
    st.subheader(title, anchor=False)
    rows = [
        {
            "Work": _work(job["job"]),
            "Account": called(known, job["owner_id"]),
            "About": job["subject_id"] or "",
            "Attempts": job["attempts"],
            since: moment(job["since"]),
        }
        for job in jobs
    ]
    st.dataframe(rows, hide_index=True, column_config={since: _TIME})


def _failures() -> None:
    st.subheader("Failed documents and questions", anchor=False)
    failures = part_of("/admin/queue/failures", "failures")
    if not failures:
        st.caption("Nothing has failed.")
        return
    known = names()
    rows = [
        {
            "When": moment(failure["failed_at"]),
            "What": KINDS.get(failure["kind"], failure["kind"]),
            "Why": REASONS.get(failure["error_code"], failure["error_code"]),
            "Account": called(known, failure["owner_id"]),
            "Attempts": failure["attempts"],
            "Id": failure["id"],
        }
        for failure in failures
    ]
    st.dataframe(rows, hide_index=True, height="content", column_config={"When": _TIME})


_TIME = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")
