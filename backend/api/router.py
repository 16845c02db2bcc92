"""All routes."""

from fastapi import APIRouter

from backend.api.routes import (
    admin,
    auth,
    chat,
    documents,
    exports,
    health,
    keys,
    messages,
    queue,
    search,
    sessions,
    streams,
    tasks,
    usage,
    users,
)

V1 = "/api/v1"
UPLOAD_PATHS = (f"{V1}/chat/upload", f"{V1}/chat/documents/[^/]+/file")
"""Patterns of where bodies are files: they are counted by their route and take the time that they take."""

router = APIRouter()
router.include_router(health.router)
for part in (auth, usage, exports, keys, users, admin, queue, chat, tasks, search, documents, sessions, messages, streams):
    router.include_router(part.router, prefix=V1)
