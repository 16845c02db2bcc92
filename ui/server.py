"""What runs the pages: Streamlit's server behind a doorkeeper that it lacks. ``streamlit run server.py``, in this folder."""

from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Streamlit's pages need scripts and styles of their own, and its plots evaluate expressions. Nothing comes from another host.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; worker-src 'self' blob:; "
    "connect-src 'self' ws: wss: data: blob:; frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PRIVATE = ("/_stcore/metrics", "/_stcore/script-health-check")
"""What tells strangers about the sessions of others, or runs a page for them."""


class Doorkeeper:
    """Lets in pages of this very origin only, and adds the headers of security.

    Streamlit by itself lets every page of localhost open a session with the cookie of whoever looks at it, and asks a server on
    the internet for its own address before it refuses another one, while everybody else waits.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may be passed on."""
        if scope["type"] == "websocket" and not _of_this_origin(Headers(scope=scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["path"].rstrip("/").endswith(PRIVATE):
            await send_with_headers({"type": "http.response.start", "status": 404, "headers": []})
            await send_with_headers({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send_with_headers)


def _of_this_origin(headers: Headers) -> bool:
    """Return whether a page of this host and port asks, or none of a browser: those say where they are from."""
    origin = headers.get("origin")
    if origin is None or urlsplit(origin).netloc == headers.get("host"):
        return True
    allowed: list[str] = st.config.get_option("server.corsAllowedOrigins")
    return origin in allowed


app = st.App("app.py", middleware=[Middleware(Doorkeeper)])
