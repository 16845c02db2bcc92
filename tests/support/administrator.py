"""An administrator, made as the README says: by the operator, and never by being first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from tests.support.product import PASSWORD, Account, Product, run_docent


@asynccontextmanager
async def administrator(product: Product) -> AsyncIterator[Account]:
    """Make a new one, sign them in, and yield them."""
    name = f"admin-{uuid4().hex[:8]}"
    words = ("user", "create", name, "--email", f"{name}@example.com", "--admin")
    code, output = await run_docent(product, *words, DOCENT_PASSWORD=PASSWORD)
    assert code == 0, output
    async with product.client() as client:
        tokens = (await client.post("/api/v1/auth/login", json={"username": name, "password": PASSWORD})).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield Account(client, name, tokens["access_token"], tokens["refresh_token"])
