"""The container files name only what exists. No engine runs them here, so this reads them."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from backend.cli import app
from backend.core.config import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = {name.upper() for name in Settings.model_fields}
COMMANDS: set[str] = set(vars(typer.main.get_command(app))["commands"])
SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD", "DOCENT_OWNER_PASSWORD", "DOCENT_APP_PASSWORD"}
CHOICES = {
    "CHAT_MODEL": "llama3.2:1b",
    "EMBEDDING_MODEL": "nomic-embed-text",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "EDGE_SUBNET": "172.28.57.0/24",
}


def filled_in(value: str) -> str:
    """The value as Compose passes it on, with secrets of 40 characters and the choices left as they are."""
    return re.sub(r"\$\{(\w+):[?-][^}]*\}", lambda found: CHOICES.get(found[1], "x" * 40), value)


def settings_of(service: dict[str, Any]) -> Settings:
    values = {name.lower(): filled_in(value) for name, value in service["environment"].items()}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type] # text, as in the environment


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_commands_that_exist(name: str) -> None:
    assert OURS[name]["command"][0] in COMMANDS


def test_the_image_runs_a_command_that_exists() -> None:
    assert 'ENTRYPOINT ["docent"]' in DOCKERFILE
    found = re.search(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)

    assert found is not None
    assert found[1] in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_our_services_are_given_settings_and_nothing_else(name: str) -> None:
    assert set(OURS[name]["environment"]) <= SETTINGS


@pytest.mark.parametrize("name", sorted(set(OURS) - {"ui"}))
def test_production_accepts_the_settings_of_our_services(name: str) -> None:
    settings = settings_of(OURS[name])
    settings.check()

    assert settings.production
    assert settings.database_url is not None
    assert settings.chroma_url is not None


def test_the_image_sets_settings_and_nothing_else() -> None:
    found = re.search(r"^ENV PATH=\S+ (.+)$", DOCKERFILE, re.MULTILINE)

    assert found is not None
    assert {pair.partition("=")[0] for pair in shlex.split(found[1])} <= SETTINGS


def test_only_the_migration_knows_the_owner_of_the_tables() -> None:
    assert [name for name, service in OURS.items() if "DATABASE_OWNER_URL" in service["environment"]] == ["migrate"]


def test_the_api_leaves_the_indexing_to_the_worker_and_both_see_the_same_files() -> None:
    assert settings_of(OURS["api"]).worker is False
    assert OURS["api"]["volumes"] == OURS["worker"]["volumes"]


def test_only_the_proxy_is_published_and_only_to_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert ports == {"proxy": ["127.0.0.1:8000:8080"]}


def test_the_pages_know_no_secret_and_lead_browsers_to_the_proxy() -> None:
    environment = OURS["ui"]["environment"]

    assert set(environment) == {"UI_API_URL", "UI_PUBLIC_API_URL"}
    assert environment["UI_API_URL"] == f"http://api:{Settings.model_fields['port'].default}"
    assert settings_of(OURS["ui"]).ui_public_api_url == f"http://{SERVICES['proxy']['ports'][0].rpartition(':')[0]}"
    assert settings_of(OURS["api"]).ui_url is None


def test_the_image_has_the_pages_and_what_they_need() -> None:
    assert DOCKERFILE.count("uv sync --frozen --no-default-groups --extra ui") == DOCKERFILE.count("uv sync")
    assert "COPY ui ui\n" in DOCKERFILE


def test_every_secret_has_to_be_given() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert set(re.findall(r"\$\{(\w+):\?", text)) == SECRETS
    assert set(re.findall(r"\$\{(\w+):-", text)) == set(CHOICES)
    assert set(re.findall(r"\$\{(\w+)", text)) == SECRETS | set(CHOICES)


def test_the_secrets_are_those_that_the_documentation_makes() -> None:
    found = re.search(r"^for name in (.+); do$", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert found is not None
    assert set(found[1].split()) == SECRETS


def test_volumes_networks_files_and_dependencies_exist() -> None:
    for service in SERVICES.values():
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_whatever_is_waited_for_says_that_it_is_healthy() -> None:
    for service in SERVICES.values():
        for name, dependency in service.get("depends_on", {}).items():
            if dependency["condition"] == "service_healthy":
                assert "test" in SERVICES[name]["healthcheck"]


def test_the_lists_of_what_is_copied_into_the_image_agree() -> None:
    lists = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {word for line in re.findall(r"^COPY ([^-].*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()}

    assert {line[1:] for line in lists if line.startswith("!")} == copied


def test_uv_is_the_same_version_everywhere() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)

    assert found is not None
    assert f"uv=={found[1]}\n" in DOCKERFILE


def test_the_chroma_server_is_the_version_that_is_locked() -> None:
    found = re.search(r'^name = "chromadb"\nversion = "(\S+)"$', (ROOT / "uv.lock").read_text(encoding="utf-8"), re.MULTILINE)

    assert found is not None
    assert SERVICES["chroma"]["image"] == f"chromadb/chroma:{found[1]}"
