from pathlib import Path

import pytest

from backend.core.config import Settings, asyncpg_url, plain_url
from backend.core.errors import ConfigurationError

SECRET = "0123456789abcdef" * 2
PRODUCTION: dict[str, object] = {
    "environment": "production",
    "secret_key": SECRET,
    "chat_provider": "ollama",
    "embedder": "ollama",
    "cors_origins": "https://docent.example",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the caller's environment nor a .env of theirs counts."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**changes: object) -> Settings:
    return Settings(**changes)  # type: ignore[arg-type] # checked by pydantic


def test_the_defaults_are_fine_for_a_laptop_and_a_complete_set_for_production() -> None:
    settings().check()
    settings(**PRODUCTION).check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"secret_key": None}, "SECRET_KEY"),
        ({"secret_key": SECRET[:-1]}, "SECRET_KEY"),
        ({"cors_origins": "*"}, "CORS_ORIGINS"),
        ({"cors_origins": "https://docent.example, *"}, "CORS_ORIGINS"),
        ({"chat_provider": "auto"}, "CHAT_PROVIDER"),
        ({"embedder": "auto"}, "EMBEDDER"),
    ],
)
def test_production_refuses_what_is_not_safe_and_names_it(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as refused:
        settings(**{**PRODUCTION, **changes}).check()

    assert SECRET[:-1] not in refused.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "correct horse battery"),
    ],
)
def test_what_is_too_weak_is_refused_everywhere(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name.upper()) as refused:
        settings(**{name: value}).check()

    assert value not in refused.value.message


def test_settings_come_from_the_environment_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", " https://a.example ,, https://b.example,")
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("PORT", "9000")

    found = settings()

    assert (found.cors_origins, found.database_url, found.port) == (("https://a.example", "https://b.example"), None, 9000)
    assert settings(cors_origins="").cors_origins == ()


def test_a_file_of_settings_gives_way_to_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nCHAT_MODEL=of-the-file\nSOMEBODY_ELSES=1\n", encoding="utf-8")
    monkeypatch.setenv("CHAT_MODEL", "of-the-environment")

    assert (settings().port, settings().chat_model) == (9001, "of-the-environment")


def test_secrets_do_not_show_in_what_is_printed() -> None:
    shown = repr(settings(**PRODUCTION, database_url="postgresql://docent:hunter2@db/docent"))

    assert SECRET not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:p@db:5432/docent?ssl=require", "postgres://u:p@db:5432/docent?ssl=require"]
    + [f"postgresql+{driver}://u:p@db:5432/docent?ssl=require" for driver in ("asyncpg", "psycopg")],
)
def test_every_way_to_write_a_database_address_becomes_the_drivers(url: str) -> None:
    assert asyncpg_url(url) == "postgresql+asyncpg://u:p@db:5432/docent?ssl=require"
    assert plain_url(asyncpg_url(url)) == "postgresql://u:p@db:5432/docent?ssl=require"


@pytest.mark.parametrize("url", ["mysql://u:p@db/docent", "docent", "", "postgresql", "sqlite:///docent.db"])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        asyncpg_url(url)
