"""What is no credential, at every door that wants one; how tokens can be forged is in test_tokens.py."""

import pytest

from backend.main import create_app
from tests.security.fuzzing.places import Operation, operations, sample
from tests.support.product import Product

SECURED = [operation for operation in operations(create_app().openapi()) if operation.secured]
NO_CREDENTIALS: dict[str, bytes | None] = {
    "nothing": None,
    "an empty header": b"",
    "a scheme alone": b"Bearer",
    "another scheme": b"Basic YWxpY2U6c2VjcmV0",
    "a word": b"Bearer nonsense",
    "two words": b"Bearer a.b.c d.e.f",
    "only dots": b"Bearer ..",
    "no algorithm": b"Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbGljZSJ9.",
    "a key of nobody": b"Bearer dk_00000000000000000000000000000000_AAAA",
    "half a key": b"Bearer dk_",
    "a refresh token": b"Bearer dr_00000000000000000000000000000000_AAAA",
    "bytes over 127": b"Bearer \xff\xfe\xe9",
    "5 KB": b"Bearer " + b"x" * 5000,
}


@pytest.mark.parametrize("operation", [pytest.param(operation, id=operation.id) for operation in SECURED])
async def test_what_is_no_credential_opens_no_door(product: Product, operation: Operation) -> None:
    path = operation.path
    for place in operation.places:
        if place.where == "path":
            path = path.replace(f"{{{place.way[0]}}}", sample(place.schema))
    async with product.client() as client:
        for name, credential in NO_CREDENTIALS.items():
            headers = [] if credential is None else [(b"Authorization", credential)]
            answer = await client.request(operation.method, path, headers=headers)

            told = answer.json()
            assert (answer.status_code, told.get("error", told)["code"]) == (401, "token_invalid"), name
            assert answer.headers["www-authenticate"] == "Bearer"
