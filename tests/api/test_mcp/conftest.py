"""Somebody with a document that can be asked about."""

import pytest

from tests.support.files import WHALES
from tests.support.product import Account


@pytest.fixture
async def whales(alice: Account) -> str:
    """The id of a document of Alice's that is ready."""
    document = (await alice.upload("whales.md", WHALES)).json()
    assert (await alice.settled(document["id"]))["status"] == "ready"
    return str(document["id"])


@pytest.fixture
async def token(alice: Account) -> str:
    """Her token."""
    return alice.access_token
