"""Where work comes from: the request, and the trace, that log lines and jobs belong to, in whatever process they are."""

from collections.abc import Mapping

import structlog

from backend.core.tracing import traceparent

ORIGIN = "origin"
"""The argument of a job that tells. Jobs without it come from nobody, or from an older release."""

_SUBJECTS = ("document_id", "task_id", "generation_id", "collection")


def origin() -> dict[str, str]:
    """Return what a job has to carry along to go on where the present work is; nothing where that has no origin itself."""
    told = {"request_id": structlog.contextvars.get_contextvars().get("request_id"), "traceparent": traceparent()}
    return {name: str(value) for name, value in told.items() if value}


def about_job(name: str, number: int | None, arguments: Mapping[str, object], came_from: object) -> dict[str, str]:
    """Return what each log line of a job says: which one it is, what it concerns, and the id of the request that it began with.

    One that no request began is its own beginning, so that what it defers can be told to be of it.
    """
    told = came_from if isinstance(came_from, dict) else {}
    about = {"request_id": str(told.get("request_id") or f"job-{number}"), "job": name, "job_id": str(number)}
    if "owner_id" in arguments:
        about["user_id"] = str(arguments["owner_id"])
    return about | {subject: str(arguments[subject]) for subject in _SUBJECTS if subject in arguments}
