"""Headers that every answer carries, whatever made it."""

from starlette.datastructures import MutableHeaders
from starlette.types import Scope

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would then say `Origin: null` of the forms of our own pages.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# The pages of the API's description load their scripts from a content delivery network, so they get no rule about scripts.
CSP_OF_PAGES = "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
CSP_OF_DATA = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HSTS = "max-age=31536000"
NOT_STORED = ("/api/", "/v1/", "/mcp", "/sign-")
"""Paths whose answers are somebody's own: no cache keeps them."""


def secure(scope: Scope, headers: MutableHeaders) -> None:
    """Add what is missing. A stricter Content-Security-Policy or another Cache-Control of the route stays."""
    for name, value in ALWAYS.items():
        headers[name] = value
    page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", CSP_OF_PAGES if page else CSP_OF_DATA)
    if scope["path"].startswith(NOT_STORED):
        headers.setdefault("Cache-Control", "no-store")
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = HSTS
