"""Who comes in, and what is said to those who do not."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient, Response
from jose import jwt

from tests.support.product import PASSWORD, Account, Product

ME = "/api/v1/auth/me"


def new_user(**changes: object) -> dict[str, object]:
    name = f"carol-{uuid4().hex[:12]}"
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, **changes}


async def me(client: AsyncClient, token: str) -> Response:
    return await client.get(ME, headers={"Authorization": f"Bearer {token}"})


async def test_a_user_registers_signs_in_and_is_known_by_the_token(product: Product) -> None:
    body = new_user(full_name="Carol Ångström")
    async with product.client() as client:
        registered = await client.post("/api/v1/auth/register", json=body)
        signed_in = await client.post("/api/v1/auth/login", json={"username": body["email"], "password": PASSWORD})
        tokens = signed_in.json()
        known = await me(client, tokens["access_token"])

    assert registered.status_code == 201
    assert set(registered.json()) == {"id", "username", "email", "full_name", "role", "tier", "is_active", "created_at"}
    assert known.json() == registered.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 1800)
    assert jwt.get_unverified_claims(tokens["access_token"])["sub"] == registered.json()["id"]
    assert signed_in.headers["cache-control"] == "no-store"


async def test_swaggers_authorize_button_finds_the_token_endpoint_and_is_let_in(product: Product) -> None:
    body = new_user()
    async with product.client() as client:
        await client.post("/api/v1/auth/register", json=body)
        schemes = (await client.get("/openapi.json")).json()["components"]["securitySchemes"]
        (flow,) = [scheme["flows"]["password"] for scheme in schemes.values() if scheme["type"] == "oauth2"]
        form = {"grant_type": "password", "username": body["username"], "password": PASSWORD, "scope": ""}
        tokens = await client.post(flow["tokenUrl"], data=form)

        assert (tokens.status_code, tokens.headers["cache-control"]) == (200, "no-store")
        assert (await me(client, tokens.json()["access_token"])).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"username": "nobody-at-all", "password": "wrong password"}, "invalid_grant"),
        ({"username": "nobody\0", "password": PASSWORD}, "invalid_grant"),
        ({"username": "n" * 5000, "password": PASSWORD}, "invalid_grant"),
        ({"username": "nobody-at-all", "password": PASSWORD, "grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"username": "nobody-at-all"}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
async def test_the_token_endpoint_refuses_as_rfc_6749_says(product: Product, form: dict[str, str], error: str) -> None:
    async with product.client() as client:
        refused = await client.post("/api/v1/auth/token", data=form)

    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert set(refused.json()) == {"error", "error_description"}
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["content-type"] == "application/json"


async def test_a_form_that_cannot_be_read_is_refused_in_the_same_shape(product: Product) -> None:
    async with product.client() as client:
        for content, kind in ((b"{}", "application/json"), (b"garbage", "multipart/form-data; boundary=x")):
            refused = await client.post("/api/v1/auth/token", content=content, headers={"Content-Type": kind})
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request"), kind


async def test_a_wrong_password_and_an_unknown_user_look_the_same(product: Product, alice: Account) -> None:
    async with product.client() as client:
        answers = [
            await client.post("/api/v1/auth/login", json={"username": name, "password": "wrong password"})
            for name in (alice.username, "nobody-at-all")
        ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (401, "credentials_invalid")
        assert answer.headers["www-authenticate"] == "Bearer"
    first, second = ({**answer.json(), "request_id": ""} for answer in answers)
    assert first == second


async def test_names_and_addresses_are_taken_whatever_their_case(product: Product) -> None:
    first = new_user()
    async with product.client() as client:
        assert (await client.post("/api/v1/auth/register", json=first)).status_code == 201
        for field, code in (("username", "username_taken"), ("email", "email_taken")):
            again = await client.post("/api/v1/auth/register", json=new_user(**{field: str(first[field]).upper()}))
            assert (again.status_code, again.json()["code"]) == (409, code)
        signed_in = await client.post("/api/v1/auth/login", json={"username": str(first["username"]).upper(), "password": PASSWORD})

    assert signed_in.status_code == 200


async def test_a_refresh_token_works_once_and_a_copy_ends_the_sign_in(product: Product, alice: Account) -> None:
    async with product.client() as client:

        async def refresh(token: str) -> Response:
            return await client.post("/api/v1/auth/refresh", json={"refresh_token": token})

        fresh = (await refresh(alice.refresh_token)).json()
        assert (await me(client, fresh["access_token"])).status_code == 200

        stolen = await refresh(alice.refresh_token)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_token_invalid")
        assert (await refresh(fresh["refresh_token"])).status_code == 401
        assert (await me(client, fresh["access_token"])).status_code == 401


async def test_logging_out_ends_the_access_token_too(alice: Account) -> None:
    body = {"refresh_token": alice.refresh_token}

    assert (await alice.client.post("/api/v1/auth/logout", json=body)).status_code == 204

    assert (await alice.client.get(ME)).json()["code"] == "token_invalid"
    assert (await alice.client.post("/api/v1/auth/refresh", json=body)).json()["code"] == "refresh_token_invalid"


async def test_a_user_changes_their_name(alice: Account) -> None:
    for name in ("Alice 🐋", None):
        assert (await alice.client.patch(ME, json={"full_name": name})).json()["full_name"] == name
        assert (await alice.client.get(ME)).json()["full_name"] == name


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forgeries(good: str, secret: str) -> dict[str, str]:
    """Tokens that are not the product's, from one that is; ``secret`` signs where only the content is wrong."""
    claims: dict[str, Any] = jwt.get_unverified_claims(good)
    _, payload, signature = good.split(".")
    nested: object = {"alg": "HS256", "typ": "JWT"}
    for _ in range(500):
        nested = {"a": nested}

    def signed(key: str = secret, headers: dict[str, str] | None = None, **changes: object) -> str:
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not ...}
        return str(jwt.encode(changed, key, algorithm="HS256", headers=headers))

    return {
        "expired": signed(exp=int(time.time()) - 1),
        "without exp": signed(exp=...),
        "without iat": signed(iat=...),
        "without jti": signed(jti=...),
        "without an audience": signed(aud=...),
        "for somebody else": signed(aud="other"),
        "of no user": signed(sub=str(uuid4())),
        "of no sign-in": signed(sid=str(uuid4())),
        "of another version": signed(ver=claims["ver"] + 1),
        "with a subject that is no id": signed(sub="alice"),
        "signed with another key": signed("x" * 64),
        "with an unknown critical header": signed(headers={"crit": "exp"}),
        "unsigned": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "nested deeply": f"{part(nested)}.{payload}.{signature}",
        "two parts": f"{payload}.{signature}",
        "very long": good + "a" * 10_000,
    }


async def test_a_token_that_is_not_ours_in_every_way_is_a_401(product: Product, alice: Account) -> None:
    secret = product.secret_key()
    ours = jwt.encode(jwt.get_unverified_claims(alice.access_token), secret, algorithm="HS256")
    async with product.client() as client:
        assert (await me(client, ours)).status_code == 200
        for kind, token in forgeries(alice.access_token, secret).items():
            refused = await me(client, token)
            assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid"), kind
            assert refused.headers["www-authenticate"] == "Bearer"
            assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "Bearer \xff\xfe", "bearer  x"])
async def test_without_a_bearer_token_nobody_is_known(product: Product, header: str | None) -> None:
    async with product.client() as client:
        headers = {} if header is None else {"Authorization": header.encode("latin-1")}
        refused = await client.get(ME, headers=headers)  # type: ignore[arg-type] # bytes reach the wire as they are

    assert (refused.status_code, refused.json()["code"], refused.headers["www-authenticate"]) == (401, "token_invalid", "Bearer")


async def test_an_endless_name_of_a_browser_does_not_keep_anybody_out(product: Product, alice: Account) -> None:
    async with product.client(**{"User-Agent": "Mozilla;" * 2000}) as client:
        tokens = await client.post("/api/v1/auth/login", json={"username": alice.username, "password": PASSWORD})

    assert tokens.status_code == 200
