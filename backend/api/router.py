"""All routes."""

from fastapi import APIRouter

from backend.api.routes import (
    admin,
    assist,
    auth,
    chat,
    documents,
    exports,
    health,
    keys,
    mcp,
    messages,
    metrics,
    models,
    openai,
    queue,
    search,
    sessions,
    sign_in,
    streams,
    suggestions,
    tasks,
    tiers,
    usage,
    users,
)

V1 = "/api/v1"
UPLOAD_PATHS = (f"{V1}/chat/upload", f"{V1}/chat/documents/[^/]+/file")
"""Patterns of where bodies are files: they are counted by their route and take the time that they take."""

router = APIRouter()
# In the order in which they are looked through for each request: questions first.
router.include_router(health.router)
router.include_router(openai.router)
router.include_router(chat.router, prefix=V1)
router.include_router(metrics.router)
router.include_router(sign_in.router)
router.include_router(mcp.router)
OF_PEOPLE = (auth, usage, exports, keys, users, admin, tiers, queue)
OF_QUESTIONS = (models, tasks, search, suggestions, documents, sessions, messages, streams, assist)
for part in (*OF_PEOPLE, *OF_QUESTIONS):
    router.include_router(part.router, prefix=V1)
