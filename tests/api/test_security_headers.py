"""Which headers are added to an answer, and which are left as they are."""

import pytest
from starlette.datastructures import MutableHeaders

from backend.api.security_headers import HSTS, secure


def secured(scheme: str = "http", path: str = "/", **headers: str) -> MutableHeaders:
    found = MutableHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    secure({"type": "http", "scheme": scheme, "path": path}, found)
    return found


def test_browsers_are_bound_to_https_only_where_they_used_it() -> None:
    assert "strict-transport-security" not in secured("http")
    assert secured("https")["strict-transport-security"] == HSTS


@pytest.mark.parametrize("path", ["/api/v1/auth/token", "/v1/chat/completions", "/sign-in"])
def test_what_is_somebodys_own_is_not_cached(path: str) -> None:
    assert secured(path=path)["cache-control"] == "no-store"
    assert secured(path=path, cache_control="private, max-age=9")["cache-control"] == "private, max-age=9"


def test_a_route_may_be_stricter() -> None:
    assert secured(content_security_policy="sandbox")["content-security-policy"] == "sandbox"
