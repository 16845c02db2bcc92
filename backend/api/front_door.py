"""What is at ``/``: the same address for browsers and for programs."""

import re
from html import escape
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from backend.api.browsers import COOKIE, wants_page
from backend.api.frontend import Frontend
from backend.api.security_headers import CSP_OF_DATA
from backend.schemas.health import LinksOut, WelcomeOut

SERVICE = "docent"
# As browsers write it, without its port.
_NAME = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")
VARY = {"Vary": "Accept"}
# What it links to depends on who looks.
OF_PAGE = {"Vary": "Accept, Cookie", "Cache-Control": "no-store", "Content-Security-Policy": CSP_OF_DATA}


class FrontDoor:
    """Sends browsers to the user interface, and tells programs what answers here.

    A browser gets the app of ``frontend``, else is sent to ``ui_url``, else to ``ui_port`` of the host that it asked, where the
    user interface runs beside the API; else it reads a page that says what programs are told. ``registration_open`` says whether
    strangers are offered an account.
    """

    ui_port: int | None = None

    def __init__(self, *, ui_url: str | None, frontend: Frontend | None, registration_open: bool) -> None:
        self.registration_open = registration_open
        self._ui_url = ui_url
        self._frontend = frontend

    def elsewhere(self, request: Request) -> str | None:
        """Return the origin that browsers are sent to from here, if that is another one."""
        address = urlsplit(self._interface(request) or "")
        return f"{address.scheme}://{address.netloc}" if address.netloc and self._frontend is None else None

    def _interface(self, request: Request) -> str | None:
        """Return where the user interface is. A host that is no name is nobody's: it is not repeated."""
        if self._ui_url is not None or self.ui_port is None:
            return self._ui_url
        host = _NAME.match(request.headers.get("host", ""))
        return f"{request.url.scheme}://{host[0]}:{self.ui_port}/" if host else None

    async def answer(self, request: Request) -> Response:
        """Return what the request's Accept asks for."""
        if not wants_page(request.headers.get("accept", "")):
            return Response(self._told(request.app).model_dump_json(), headers=VARY, media_type="application/json")
        app = await self._frontend.index(request.scope) if self._frontend is not None else None
        if app is not None:
            return app
        interface = self._interface(request)
        if interface is not None:
            return RedirectResponse(interface, 307, {**VARY, "Cache-Control": "no-store"})
        return HTMLResponse(_page(self._told(request.app), signed_in=COOKIE in request.cookies), headers=OF_PAGE)

    def _told(self, app: FastAPI) -> WelcomeOut:
        return WelcomeOut(
            service=SERVICE,
            version=app.version,
            docs=app.docs_url,
            registration_open=self.registration_open,
            links=LinksOut(openapi=app.openapi_url),
        )


def _page(told: WelcomeOut, *, signed_in: bool) -> str:
    path, words = ("/sign-out", "Sign out") if signed_in else ("/sign-in", "Sign in")
    described = f'<li><a href="{told.docs}">Documentation of the API</a></li>' if told.docs else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Docent</title></head><body><h1>Docent</h1>'
        f"<p>Version {escape(told.version)} answers here. It has no user interface at this address; programs use its API.</p>"
        f'<ul>{described}<li><a href="{told.links.health}">Health</a></li><li><a href="{path}">{words}</a></li></ul></body></html>'
    )
