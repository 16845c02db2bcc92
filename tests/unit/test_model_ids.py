"""Ids of models: where they lead, and what a tier's list makes of them."""

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.values.limits import Tier
from backend.services.providers import Providers


def scripted(name: str) -> ScriptedChatModel:
    return ScriptedChatModel(provider=name)


@pytest.mark.parametrize(
    ("id_", "provider", "name", "canonical"),
    [
        ("llama3.2:1b", "ollama", "llama3.2:1b", "llama3.2:1b"),
        ("ollama/llama3.2:1b", "ollama", "llama3.2:1b", "llama3.2:1b"),
        ("openai/gpt-4o", "openai", "gpt-4o", "openai/gpt-4o"),
        ("hf.co/bartowski/Qwen:Q4", "ollama", "hf.co/bartowski/Qwen:Q4", "hf.co/bartowski/Qwen:Q4"),
        ("ollama/openai/gpt-oss", "ollama", "openai/gpt-oss", "ollama/openai/gpt-oss"),
        ("openai/openai/gpt-oss", "openai", "openai/gpt-oss", "openai/openai/gpt-oss"),
        ("openai", "ollama", "openai", "openai"),
        ("OpenAI/gpt-4o", "ollama", "OpenAI/gpt-4o", "OpenAI/gpt-4o"),
    ],
)
def test_an_id_leads_to_one_provider_and_back(id_: str, provider: str, name: str, canonical: str) -> None:
    model = Providers(scripted("ollama"), [scripted("openai")])

    found = model.found(id_)

    assert (found.provider.provider, found.name, model.canonical(id_)) == (provider, name, canonical)
    assert model.found(canonical) == found


@pytest.mark.parametrize(
    ("allowed", "id_", "may"),
    [
        ("llama3.2:1b", "ollama/llama3.2:1b", True),
        ("ollama/llama3.2:1b", "llama3.2:1b", True),
        ("llama3.2", "llama3.2:latest", True),
        ("llama3.2:latest", "ollama/llama3.2", True),
        ("llama3.2", "llama3.2:1b", False),
        ("llama3.2:1b", "LLAMA3.2:1b", False),
        ("openai/*", "openai/gpt-4o", True),
        ("openai/*", "ollama/openai/gpt-oss", False),
        ("ollama/*", "llama3.2:1b", True),
        ("ollama/*", "openai/gpt-4o", False),
        ("*:1b", "llama3.2:1b", True),
        ("*:latest", "llama3.2:1b", False),
        ("l*3.2:*b", "llama3.2:1b", True),
        ("l*l*l*b", "llama3.2:1b", False),
        ("llama*llama", "llama", False),
        ("gpt-4o", "openai/gpt-4o", False),
        ("*", "openai/gpt-4o", True),
    ],
)
def test_no_spelling_of_a_model_goes_around_a_list(allowed: str, id_: str, may: bool) -> None:
    model = Providers(scripted("ollama"), [scripted("openai")])
    tier = Tier("free", 1, 1, 1, 1, 1, models=("nothing", allowed))

    assert tier.allows(model.spellings(id_)) is may
