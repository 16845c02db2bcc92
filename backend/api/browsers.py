"""What browsers send by themselves, and when it is believed."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from backend.core.errors import CrossSiteError

COOKIE = "docent_session"
LIFETIME_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie. How long the sign-in behind it lasts is the server's to say."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_of(request: Request) -> str | None:
    """Return the token that the browser keeps for this site, if it has one.

    Raises:
        CrossSiteError: It came with a request that changes something, and not from a page of this site.
    """
    token = request.cookies.get(COOKIE)
    if token is not None and request.method not in READING:
        assert_same_site(request)
    return token or None


def assert_same_site(request: Request) -> None:
    """Return if a page of this site sent the request; who sends no `Origin` is no browser, or an old one.

    Raises:
        CrossSiteError: Another site's page did, or nobody can tell.
    """
    origin = request.headers.get("origin")
    if origin is None or not _is_here(origin, request):
        raise CrossSiteError


def assert_not_foreign(request: Request) -> None:
    """Return unless a page of another site sent the request. Programs, which say nothing about pages, may.

    Raises:
        CrossSiteError: Another site's page did.
    """
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        assert_same_site(request)


def keep(response: Response, token: str, request: Request) -> None:
    """Let the browser keep a token: out of reach of scripts, and sent to this site alone."""
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, max_age=LIFETIME_SECONDS, path="/", httponly=True, samesite="lax", secure=secure)


def forget(response: Response) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


def _is_here(origin: str, request: Request) -> bool:
    """Compare by host and port: a proxy that ends TLS changes the scheme, and passes the name on."""
    try:
        sent = urlsplit(origin)
        here = urlsplit(f"{sent.scheme}://{request.headers.get('host', '')}")
        default = {"http": 80, "https": 443}.get(sent.scheme)
        return default is not None and (sent.hostname, sent.port or default) == (here.hostname, here.port or default)
    except ValueError:
        return False


def wants_page(accept: str) -> bool:
    """Tell from the header Accept whether a page is wanted: HTML is named, as browsers do, and JSON is not."""
    named = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/html" in named and "application/json" not in named
