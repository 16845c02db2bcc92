from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx2
import pytest

from tests.support.files import WHALES
from tests.support.product import PASSWORD, Account, Product, run_docent

NEW_PASSWORD = "another horse battery"


async def refused(client: httpx2.AsyncClient, credential: str) -> bool:
    response = await client.get("/api/v1/chat/documents", headers={"Authorization": f"Bearer {credential}"})
    return response.status_code == 401 and response.json()["code"] == "token_invalid"


async def a_key(account: Account, **fields: object) -> dict[str, str]:
    body = {"name": "script", "scopes": ["chat", "documents:read"], **fields}
    response = await account.client.post("/api/v1/auth/keys", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, str] = response.json()
    return made


@asynccontextmanager
async def with_credential(product: Product, credential: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with product.client(Authorization=f"Bearer {credential}") as client:
        yield client


@pytest.fixture(scope="session")
async def admin(product: Product) -> AsyncIterator[Account]:
    """An administrator, made as the README says: by the operator, and never by being first."""
    name = f"admin-{uuid4().hex[:8]}"
    code, output = await run_docent(
        product, "user", "create", name, "--email", f"{name}@example.com", "--admin", DOCENT_PASSWORD=PASSWORD
    )
    assert code == 0, output
    async with product.client() as client:
        tokens = (await client.post("/api/v1/auth/login", json={"username": name, "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield Account(client, name, tokens["access_token"], tokens["refresh_token"])


async def test_a_password_change_ends_everything_but_the_sign_in_that_made_it(product: Product, alice: Account) -> None:
    async with product.client() as client:
        body = {"username": alice.username, "password": PASSWORD}
        elsewhere = (await client.post("/api/v1/auth/login", json=body)).json()
        key = await a_key(alice)

        wrong = {"present_password": "not this", "new_password": NEW_PASSWORD}
        assert (await alice.client.post("/api/v1/auth/me/password", json=wrong)).json()["code"] == "password_wrong"
        change = {"present_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert (await alice.client.post("/api/v1/auth/me/password", json=change)).status_code == 204

        for credential in (elsewhere["access_token"], alice.access_token, key["key"]):
            assert await refused(client, credential)
        gone = await client.post("/api/v1/auth/refresh", json={"refresh_token": elsewhere["refresh_token"]})
        assert gone.status_code == 401
        mine = await client.post("/api/v1/auth/refresh", json={"refresh_token": alice.refresh_token})
        assert mine.status_code == 200
        assert (await client.post("/api/v1/auth/login", json=body)).status_code == 401
        assert (await client.post("/api/v1/auth/login", json={**body, "password": NEW_PASSWORD})).status_code == 200


async def test_sign_ins_are_listed_and_one_of_them_can_be_ended(product: Product, alice: Account) -> None:
    async with product.client() as client:
        body = {"username": alice.username, "password": PASSWORD}
        other = (await client.post("/api/v1/auth/login", json=body, headers={"User-Agent": "phone"})).json()

        listed = (await alice.client.get("/api/v1/auth/me/sign-ins")).json()["items"]
        assert {(item["user_agent"], item["current"]) for item in listed} >= {("phone", False)}
        assert sum(item["current"] for item in listed) == 1
        phone = next(item["id"] for item in listed if item["user_agent"] == "phone")
        assert (await alice.client.delete(f"/api/v1/auth/me/sign-ins/{phone}")).status_code == 204

        assert await refused(client, other["access_token"])
        assert not await refused(client, alice.access_token)
        again = await alice.client.delete(f"/api/v1/auth/me/sign-ins/{phone}")
        assert (again.status_code, again.json()["code"]) == (404, "sign_in_not_found")


async def test_a_key_does_what_its_scopes_say_and_no_more(product: Product, alice: Account) -> None:
    key = await a_key(alice)
    async with with_credential(product, key["key"]) as client:
        assert (await client.get("/api/v1/chat/documents")).status_code == 200
        assert (await client.post("/api/v1/chat/query", json={"query": "Anything?"})).status_code == 200
        upload = await client.post("/api/v1/chat/upload", files={"file": ("a.md", b"# a")})
        assert (upload.status_code, upload.json()["code"]) == (403, "scope_missing")
        for method, path in (("GET", "/auth/me"), ("GET", "/auth/keys"), ("POST", "/auth/keys"), ("GET", "/auth/me/sign-ins")):
            body = {"name": "x", "scopes": ["chat"]} if method == "POST" else None
            response = await client.request(method, f"/api/v1{path}", json=body)
            assert (response.status_code, response.json()["code"]) == (403, "scope_missing")

    shown = (await alice.client.get("/api/v1/auth/keys")).json()["items"][0]
    assert "key" not in shown
    assert key["key"].startswith(shown["prefix"])
    assert shown["last_used_at"] is not None


async def test_a_revoked_or_expired_key_is_refused_at_once(product: Product, alice: Account) -> None:
    revoked, expired = await a_key(alice), await a_key(alice, expires_at="2020-01-01T00:00:00Z")
    assert (await alice.client.delete(f"/api/v1/auth/keys/{revoked['id']}")).status_code == 204

    async with product.client() as client:
        forged = revoked["key"][:-4] + "AAAA"
        for credential in (revoked["key"], expired["key"], forged, "dk_", "dk_zz_zz"):
            assert await refused(client, credential)


async def test_a_user_cannot_make_an_admin_key_or_reach_administration(alice: Account, bob: Account) -> None:
    key = await alice.client.post("/api/v1/auth/keys", json={"name": "x", "scopes": ["admin"]})
    assert (key.status_code, key.json()["code"]) == (403, "scope_missing")
    me = (await bob.client.get("/api/v1/auth/me")).json()["id"]
    for method, path in (
        ("GET", "/users"),
        ("GET", f"/users/{me}"),
        ("PATCH", f"/users/{me}"),
        ("DELETE", f"/users/{me}"),
        ("POST", f"/users/{me}/reset-link"),
        ("GET", "/admin/audit"),
    ):
        response = await alice.client.request(method, f"/api/v1{path}", json={} if method == "PATCH" else None)
        assert (response.status_code, response.json()["code"]) == (403, "admin_only")


async def test_an_administrator_manages_accounts(product: Product, admin: Account, alice: Account) -> None:
    found = (await admin.client.get("/api/v1/users", params={"q": alice.username.upper()})).json()["items"]
    assert [user["username"] for user in found] == [alice.username]
    user = found[0]["id"]
    async with product.client() as client:
        changed = await admin.client.patch(f"/api/v1/users/{user}", json={"tier": "pro"})
        assert (changed.json()["tier"], changed.json()["role"]) == ("pro", "user")
        assert not await refused(client, alice.access_token)

        assert (await admin.client.patch(f"/api/v1/users/{user}", json={"is_active": False})).status_code == 200
        assert await refused(client, alice.access_token)
        body = {"username": alice.username, "password": PASSWORD}
        assert (await client.post("/api/v1/auth/login", json=body)).status_code == 401

        await admin.client.patch(f"/api/v1/users/{user}", json={"is_active": True})
        token = (await admin.client.post(f"/api/v1/users/{user}/reset-link")).json()["token"]
        reset = {"token": token, "new_password": NEW_PASSWORD}
        assert (await client.post("/api/v1/auth/reset-password", json=reset)).status_code == 204
        assert (await client.post("/api/v1/auth/reset-password", json=reset)).json()["code"] == "reset_link_invalid"
        assert (await client.post("/api/v1/auth/login", json={**body, "password": NEW_PASSWORD})).status_code == 200

    kinds = {
        event["kind"]
        for event in (await admin.client.get("/api/v1/admin/audit", params={"user_id": user, "limit": 100})).json()["items"]
    }
    assert kinds >= {"account_registered", "signed_in", "account_changed", "sign_in_failed", "reset_link_made", "password_reset"}


async def test_the_last_administrator_stays(admin: Account) -> None:
    me = (await admin.client.get("/api/v1/auth/me")).json()["id"]
    for method, path, body in (
        ("PATCH", f"/users/{me}", {"role": "user"}),
        ("PATCH", f"/users/{me}", {"is_active": False}),
        ("DELETE", f"/users/{me}", None),
    ):
        response = await admin.client.request(method, f"/api/v1{path}", json=body)
        assert (response.status_code, response.json()["code"]) == (409, "last_admin")


async def test_a_deleted_account_is_gone_and_its_name_is_free(product: Product, alice: Account) -> None:
    await alice.upload("whales.md", WHALES)
    key = await a_key(alice)

    wrong = await alice.client.request("DELETE", "/api/v1/auth/me", json={"password": "not this"})
    assert wrong.json()["code"] == "password_wrong"
    assert (await alice.client.request("DELETE", "/api/v1/auth/me", json={"password": PASSWORD})).status_code == 204

    async with product.client() as client:
        assert await refused(client, alice.access_token)
        assert await refused(client, key["key"])
        body = {"username": alice.username, "email": f"{alice.username}@example.com", "password": PASSWORD}
        assert (await client.post("/api/v1/auth/register", json=body)).status_code == 201
        tokens = (await client.post("/api/v1/auth/login", json=body | {"email": None})).status_code
        assert tokens == 422
        login = {"username": alice.username, "password": PASSWORD}
        token = (await client.post("/api/v1/auth/login", json=login)).json()["access_token"]
        documents = await client.get("/api/v1/chat/documents", headers={"Authorization": f"Bearer {token}"})
        assert documents.json()["items"] == []


async def test_usage_is_told_day_by_day_and_of_all_accounts_to_administrators_alone(
    admin: Account, alice: Account, bob: Account
) -> None:
    for account in (alice, alice, bob):
        (await account.ask("What is new?")).raise_for_status()

    (today,) = (await alice.client.get("/api/v1/auth/me/usage/days")).json()["days"]
    total = (await admin.client.get("/api/v1/admin/usage", params={"days": 1})).json()["days"][0]

    assert today["questions"] == 2
    assert today["prompt_tokens"] + today["completion_tokens"] > 0
    assert total["accounts"] >= 2
    assert total["questions"] >= 3
    assert (await alice.client.get("/api/v1/admin/usage")).status_code == 403
