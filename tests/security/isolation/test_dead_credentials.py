"""After a password change, a disabled account or a revoked key: not one request is accepted, whatever it asks for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from secrets import token_hex

import httpx2
import pytest

from tests.security.isolation.description import Operation
from tests.security.isolation.requests import call
from tests.security.isolation.rows import NEW_PASSWORD, ROWS
from tests.security.isolation.world import Person, behind_the_walls, newcomer
from tests.support.product import PASSWORD, Account, Product

ME = "/api/v1/auth/me"


async def password_changed(_product: Product, victim: Person, _admin: Account) -> None:
    body = {"present_password": PASSWORD, "new_password": NEW_PASSWORD}
    (await victim.account.client.post(f"{ME}/password", json=body)).raise_for_status()


async def password_reset(product: Product, victim: Person, admin: Account) -> None:
    link = (await admin.client.post(f"/api/v1/users/{victim.id}/reset-link")).raise_for_status().json()
    async with product.client() as client:
        body = {"token": link["token"], "new_password": NEW_PASSWORD}
        (await client.post("/api/v1/auth/reset-password", json=body)).raise_for_status()


async def disabled(_product: Product, victim: Person, admin: Account) -> None:
    (await admin.client.patch(f"/api/v1/users/{victim.id}", json={"is_active": False})).raise_for_status()


async def deleted_by_an_administrator(_product: Product, victim: Person, admin: Account) -> None:
    (await admin.client.delete(f"/api/v1/users/{victim.id}")).raise_for_status()


async def deleted_by_its_owner(_product: Product, victim: Person, _admin: Account) -> None:
    (await victim.account.client.request("DELETE", ME, json={"password": PASSWORD})).raise_for_status()


async def role_changed(_product: Product, victim: Person, admin: Account) -> None:
    (await admin.client.patch(f"/api/v1/users/{victim.id}", json={"role": "admin"})).raise_for_status()


async def signed_out_and_revoked(_product: Product, victim: Person, _admin: Account) -> None:
    client = victim.account.client
    for key in (await client.get("/api/v1/auth/keys")).json()["items"]:
        (await client.delete(f"/api/v1/auth/keys/{key['id']}")).raise_for_status()
    (await client.post("/api/v1/auth/logout", json={"refresh_token": victim.account.refresh_token})).raise_for_status()
    out = await victim.clients["browser"].post("/sign-out", headers={"Cookie": f"docent_session={victim.things['cookie']}"})
    assert out.status_code == 303


async def expired(product: Product, victim: Person, _admin: Account) -> None:
    async with behind_the_walls(product) as database:
        for table in ("api_keys", "auth_sessions"):
            await database.execute(f"update {table} set expires_at = now() where owner_id::text = $1", victim.id)  # noqa: S608


ENDS = (
    *(password_changed, password_reset, disabled, deleted_by_an_administrator, deleted_by_its_owner, role_changed),
    *(signed_out_and_revoked, expired),
)


@asynccontextmanager
async def victim_of(product: Product) -> AsyncIterator[Person]:
    """Somebody with every credential, each of which works."""
    async with newcomer(product, f"victim{token_hex(4)}", "limited key") as someone:
        someone.things["user"] = (await someone.account.client.get(ME)).json()["id"]
        body = {"name": "all", "scopes": ["chat", "documents:read", "documents:write"]}
        key = (await someone.account.client.post("/api/v1/auth/keys", json=body)).json()["key"]
        form = {"username": someone.account.username, "password": PASSWORD}
        signed_in = await someone.account.client.post("/sign-in", data=form)
        someone.things["cookie"] = cookie = signed_in.cookies["docent_session"]
        someone.account.client.cookies.clear()
        async with (
            product.client(Authorization=f"Bearer {key}") as client,
            product.client(Authorization=f"Bearer {cookie}", Origin=product.url) as browser,
        ):
            someone.clients |= {"key": client, "browser": browser}
            for credential, alive in someone.clients.items():
                assert (await alive.get("/api/v1/chat/documents")).status_code == 200, credential
            yield someone


async def accepted(api: dict[str, Operation], caller: Person, credential: str) -> list[str]:
    """Send every secured operation, well-formed, and return those that got any answer but that the token is no good."""
    others = []
    for operation in api.values():
        if operation.secured:
            row = ROWS[operation.id]
            # Ids that a route would take: their form is all that matters before the caller is known.
            caller.things |= {kind: caller.things["document"] for kind in row.kinds.values() if kind not in caller.things}
            response = await call(operation, row, caller=caller, credential=credential, body=row.bodies[0], ids={})
            if (response.status_code, _code(response)) != (401, "token_invalid"):
                others.append(f"{operation.id}: {response.status_code} {response.text}")
    return others


def _code(response: httpx2.Response) -> str | None:
    if response.headers["content-type"] == "application/problem+json":
        return str(response.json().get("code"))
    # Under /v1 errors have OpenAI's shape.
    return str(response.json()["error"]["code"]) if response.status_code == 401 else None


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_a_credential_that_has_ended_is_good_for_nothing(
    product: Product,
    api: dict[str, Operation],
    admin: Account,
    end: Callable[[Product, Person, Account], Awaitable[None]],
) -> None:
    assert sum(operation.secured for operation in api.values()) > 25
    async with victim_of(product) as victim, product.client() as client:
        await end(product, victim, admin)
        for credential in victim.clients:
            assert await accepted(api, victim, credential) == [], credential
        refresh = {"refresh_token": victim.account.refresh_token}
        response = await client.post("/api/v1/auth/refresh", json=refresh)
        # Who changes the password stays signed in on that device, but has to ask for a new token.
        assert response.status_code == (200 if end is password_changed else 401), response.text


async def test_a_credential_made_up_around_a_known_id_is_good_for_nothing(
    product: Product, api: dict[str, Operation], alice: Person
) -> None:
    header, payload, signature = alice.account.access_token.split(".")
    forged = {
        "token": f"{header}.{payload}.{signature[::-1]}",
        "unsigned token": f"{header}.{payload}.",
        "key": f"dk_{str(alice.things['key']).replace('-', '')}_{'A' * 43}",
        "refresh token": str(alice.things["refresh"]),
        "nothing": "dk_",
    }
    for name, credential in forged.items():
        async with product.client(Authorization=f"Bearer {credential}") as client:
            forger = Person(alice.account, {"sign-in": client}, dict(alice.things))
            assert await accepted(api, forger, "sign-in") == [], name
