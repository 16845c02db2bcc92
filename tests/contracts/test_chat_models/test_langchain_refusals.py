"""What the vendors behind langchain refuse with a 400, and whose matter that is."""

import pytest

from backend.adapters.chat_models.langchain.failures import refused
from backend.core.errors import ModelRefusedError, ModelUnavailableError


class VendorsError(Exception):
    """As the vendors' libraries raise it."""

    status_code = 400


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("API key not valid. Please pass a valid API key: secret", ModelUnavailableError, "refuses this server's key"),
        ("Your credit balance is too low to access the Anthropic API. secret", ModelUnavailableError, "no credit left"),
        ("messages.0: secret is not allowed", ModelRefusedError, "refused the request"),
    ],
)
def test_a_key_or_an_account_is_no_fault_of_the_request(said: str, kind: type[Exception], told: str) -> None:
    error = refused("anthropic", VendorsError(said), "m")

    assert type(error) is kind
    assert told in error.message
    assert "secret" not in error.message
