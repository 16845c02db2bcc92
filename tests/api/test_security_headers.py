"""Which headers are added to an answer, and which are left as they are."""

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.datastructures import MutableHeaders

from backend.api.security_headers import HSTS, secure
from backend.core.config import Settings
from backend.main import create_app


def secured(scheme: str = "http", path: str = "/", **headers: str) -> MutableHeaders:
    found = MutableHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    secure({"type": "http", "scheme": scheme, "path": path}, found)
    return found


def test_browsers_are_bound_to_https_only_where_they_used_it() -> None:
    assert "strict-transport-security" not in secured("http")
    assert secured("https")["strict-transport-security"] == HSTS


@pytest.mark.parametrize("path", ["/api/v1/auth/token", "/v1/chat/completions", "/mcp", "/sign-in"])
def test_what_is_somebodys_own_is_not_cached(path: str) -> None:
    assert secured(path=path)["cache-control"] == "no-store"
    assert secured(path=path, cache_control="private, max-age=9")["cache-control"] == "private, max-age=9"


def test_a_route_may_be_stricter() -> None:
    assert secured(content_security_policy="sandbox")["content-security-policy"] == "sandbox"


async def test_pages_of_named_origins_may_call_with_the_headers_of_their_clients() -> None:
    app = create_app(Settings(_env_file=None, cors_origins=("https://app.example",)))
    asking = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-stainless-lang,mcp-method",
    }
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as browser:
        allowed = await browser.options("/v1/chat/completions", headers={"Origin": "https://app.example", **asking})
        refused = await browser.options("/v1/chat/completions", headers={"Origin": "https://elsewhere.example", **asking})

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://app.example")
    assert {"authorization", "x-stainless-lang", "mcp-method"} <= set(
        allowed.headers["access-control-allow-headers"].replace(" ", "").split(",")
    )
    assert "access-control-allow-credentials" not in allowed.headers, "cookies are for pages of this site"
    assert "access-control-allow-origin" not in refused.headers
