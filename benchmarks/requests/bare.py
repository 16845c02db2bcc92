"""The barest FastAPI: one route that answers what an account looks like, without accounts, storage or middleware."""

import asyncio
import socket
import sys
from datetime import UTC, datetime
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Me(BaseModel):
    """As ``GET /auth/me`` answers."""

    id: UUID
    username: str
    email: str
    full_name: str | None
    role: str
    tier: str
    is_active: bool
    created_at: datetime


@app.get("/me")
async def read_me() -> Me:
    return Me(
        id=UUID(int=7),
        username="somebody",
        email="somebody@example.com",
        full_name=None,
        role="user",
        tier="free",
        is_active=True,
        created_at=datetime.now(UTC),
    )


async def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)  # so that whoever connects now is answered once it has started
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve([listener]))
    print(listener.getsockname()[1], flush=True)
    # It ends with the process that reads its port.
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
