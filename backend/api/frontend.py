"""A folder of files as the web app of this address."""

import asyncio
import os
import re
import stat
from mimetypes import MimeTypes
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api.browsers import wants_page

RESERVED = frozenset(
    {
        *("api", "v1", "mcp", "health", "ready", "services", "metrics", "docs", "redoc", "openapi.json"),
        *("sign-in", "sign-up", "sign-out", "ui"),
    }
)
"""First parts of paths that are the API's, whether it has a route there or not: an app that answered for a misspelt or switched-off
one would look like an API that speaks HTML."""

INDEX = "index.html"
REVALIDATED = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
# A part of the name with letters and digits, eight or more, and no word with a number behind it.
_HASHED = re.compile(
    r"[.-](?=[A-Za-z_]*\d)(?=\d*[A-Za-z_])(?![A-Za-z]+\d{1,3}\.)[A-Za-z0-9_]{8,}\.(?:[A-Za-z0-9]+\.)?[A-Za-z0-9]+\Z"
)


def _media_types() -> MimeTypes:
    """The standard library's own table, the same on every machine, with what it lacks or has otherwise."""
    types = MimeTypes()
    for suffix, media_type in {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".map": "application/json",
        ".webmanifest": "application/manifest+json",
        ".webp": "image/webp",
        ".avif": "image/avif",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
        ".md": "text/markdown",
    }.items():
        types.add_type(media_type, suffix)
    return types


class Frontend:
    """Answers what no route has answered: with a file of the folder, or with its index.html where an address looks like a page.

    Files are looked for when they are asked for, so an app can be replaced while this runs. Nothing outside of the folder is read,
    through links either, and nothing whose name, or whose folder's name, begins with a dot. Everything else is ``otherwise``'s.
    """

    def __init__(self, folder: Path, otherwise: ASGIApp, *, policy: str) -> None:
        self._folder = Path(os.path.realpath(folder.expanduser()))
        self._otherwise = otherwise
        self._policy = policy
        self._types = _media_types()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request that no route is for."""
        response = await self._found(scope) if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        await (response or self._otherwise)(scope, receive, send)

    async def index(self, scope: Scope) -> Response | None:
        """Return index.html, unless somebody has taken it away."""
        return await self._file(INDEX, scope, page=True)

    async def _found(self, scope: Scope) -> Response | None:
        path = scope["path"].removeprefix("/")
        names = path.removesuffix("/").split("/")
        if names[0].lower() in RESERVED or not all(map(_may_be_a_file, names)):
            return None
        response = await self._file(f"{path}{INDEX}" if path.endswith("/") else path, scope)
        if response is None and "." not in path and wants_page(Headers(scope=scope).get("accept", "")):
            response = await self.index(scope)
        return response

    async def _file(self, path: str, scope: Scope, *, page: bool = False) -> Response | None:
        found = await asyncio.to_thread(self._look, path)
        if found is None:
            return None
        file, state = found
        # Not the time and the size alone: builds that can be repeated give all files one time, and names with hashes one length.
        etag = f'"{state.st_ino:x}-{state.st_size:x}-{state.st_mtime_ns:x}-{state.st_ctime_ns:x}"'
        headers = {
            "Cache-Control": FOR_EVER if _HASHED.search(file.name) else REVALIDATED,
            "Content-Security-Policy": self._policy,
            "ETag": etag,
        }
        if page:
            # Programs get something else at the same address.
            headers["Vary"] = "Accept"
        if _names(Headers(scope=scope).get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        media_type, encoding = self._types.guess_type(file.name)
        return FileResponse(
            file,
            headers=headers,
            media_type=media_type if media_type and encoding is None else "application/octet-stream",
            stat_result=state,
        )

    def _look(self, path: str) -> tuple[Path, os.stat_result] | None:
        try:
            file = Path(os.path.realpath(self._folder / path, strict=True))
            state = file.stat()
        except (OSError, ValueError):  # Not there, not for us, a name that is too long, or one with a NUL.
            return None
        # Asked of where it really is: what is in the folder may be a link.
        inside = file.is_relative_to(self._folder) and all(map(_may_be_a_file, file.relative_to(self._folder).parts))
        return (file, state) if inside and stat.S_ISREG(state.st_mode) and os.access(file, os.R_OK) else None


def _may_be_a_file(name: str) -> bool:
    """Tell whether it may be a name in a path of the app: not empty, not hidden, and neither ``.`` nor ``..``."""
    return bool(name) and not name.startswith(".") and "\\" not in name


def _names(header: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags
