"""The leanest relay: Starlette and aiohttp, bytes in and bytes out, without accounts, storage or retrieval."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


def relay(model: str) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
            app.state.session = session
            yield

    async def ask(request: Request) -> StreamingResponse:
        body = await request.body()

        async def pieces() -> AsyncIterator[bytes]:
            async with request.app.state.session.post(f"{model}/api/chat", data=body) as answer:
                async for piece in answer.content.iter_any():
                    yield piece

        return StreamingResponse(pieces(), media_type="application/x-ndjson")

    return Starlette(routes=[Route("/api/chat", ask, methods=["POST"])], lifespan=lifespan)


async def main(model: str) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(relay(model), log_level="warning", access_log=False, backlog=4096, timeout_graceful_shutdown=2)
    listener.listen(4096)  # so that whoever connects now is answered once it has started
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    print(listener.getsockname()[1], flush=True)
    # It ends with the process that reads its port.
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1]))
