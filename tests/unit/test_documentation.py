"""What is written about the product is true of it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

import backend.db.conflicts  # noqa: F401 - defines errors of its own
from backend.adapters.document_parsers.formats import BY_EXTENSION
from backend.api.errors import CODES
from backend.cli import app
from backend.core.errors import ConfigurationError, DocentError
from backend.core.values.page import CursorInvalidError
from backend.main import create_app
from backend.services.answering.turn import ServerStoppingError

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")


def routes() -> set[str]:
    paths = create_app().openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def kinds(root: type[DocentError]) -> Iterator[type[DocentError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_api_is_documented_route_by_route_and_nothing_else_is() -> None:
    rows = set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)` \|", API, re.MULTILINE))

    assert rows == routes()


def test_every_code_that_an_error_may_have_is_documented() -> None:
    # What is wrong with the configuration is told to whoever starts the server, and not to clients.
    codes = {kind.code for kind in kinds(DocentError) if not issubclass(kind, ConfigurationError)}

    assert {ServerStoppingError.code, CursorInvalidError.code} <= codes
    assert sorted(code for code in codes | set(CODES.values()) if f"`{code}`" not in API) == []


def test_the_formats_that_are_read_are_listed() -> None:
    quickstart = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")

    assert [extension for extension in BY_EXTENSION if extension and f"`{extension}`" not in quickstart] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        aim = (page.parent / target).resolve() if target else page
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_the_text_exist(page: Path) -> None:
    named = re.findall(r"`((?:backend|tests|docs|deploy|examples|alembic)/[\w./-]*)`", page.read_text(encoding="utf-8"))

    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_is_asked_for_targets_that_it_has(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    asked = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(asked) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_docent_is_asked_for_commands_that_it_has(page: Path) -> None:
    commands: set[str] = set(vars(typer.main.get_command(app))["commands"])
    asked = re.findall(r"(?:^|[`/])docent ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(asked) <= commands


def test_continuous_integration_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    commands = [shlex.split(line) for line in script.read_text(encoding="utf-8").splitlines() if line.startswith("make")]

    assert commands == [["make", "check"], ["make", "test"]]
    assert script.stat().st_mode & 0o111
