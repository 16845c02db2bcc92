"""What is written about the settings is what the class says."""

import re
from pathlib import Path

import pytest

from backend.core.config import Settings

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"^# (?P<description>.+)\n#(?P<name>[A-Z_]+)=(?P<default>.*)$", re.MULTILINE)
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?:`(?P<default>[^|]*)` )?\| (?P<description>.+) \|$", re.MULTILINE)


def as_written(default: object) -> str:
    if default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


SETTINGS = {name.upper(): (as_written(field.default), field.description) for name, field in Settings.model_fields.items()}


def test_the_example_lists_every_setting_with_its_default_and_description() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert {found["name"]: (found["default"], found["description"]) for found in ENTRY.finditer(text)} == SETTINGS


def test_the_example_sets_nothing_until_somebody_removes_a_number_sign() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []


def test_the_table_in_the_documentation_lists_the_same() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0]

    assert {found["name"]: (found["default"] or "", found["description"]) for found in ROW.finditer(table)} == SETTINGS


def test_every_setting_of_the_example_can_be_used_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    used = tmp_path / ".env"
    used.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE), encoding="utf-8")

    assert Settings(_env_file=used) == Settings(_env_file=None)
