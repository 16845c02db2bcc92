"""All routes."""

from fastapi import APIRouter

from backend.api.routes import auth, chat, documents, health, sessions

V1 = "/api/v1"
UPLOAD_PATH = f"{V1}/chat/upload"

router = APIRouter()
router.include_router(health.router)
for part in (auth, chat, documents, sessions):
    router.include_router(part.router, prefix=V1)
