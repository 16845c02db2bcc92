"""What is written about the product is true of it."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import backend.db.conflicts  # noqa: F401 - defines errors of its own
from backend.adapters.document_parsers.formats import BY_EXTENSION
from backend.api.errors import CODES, status_of
from backend.cli import app
from backend.core.errors import ConfigurationError, DocentError, ParsingError, ServerStoppingError
from backend.core.values.page import CursorInvalidError
from backend.main import create_app
from backend.rag.neutralising import Neutraliser
from backend.services import throttling

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def section(page: str, title: str) -> str:
    """What stands under a title, up to the next one of any level."""
    return re.split(r"^#+ ", page.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def wanted(operation: dict[str, Any]) -> str:
    """Who may call an operation, as its description says: a key needs its scope, and without one it does not suffice."""
    if "security" not in operation:
        return "anybody"
    [[scopes]] = [list(scheme.values()) for scheme in operation["security"]]
    return ", ".join(scopes) or "sign-in"


def kinds(root: type[DocentError]) -> Iterator[type[DocentError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_api_is_documented_route_by_route_with_who_may_call_it_and_nothing_else_is() -> None:
    rows = re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)` \| ([^|]+) \|", API, re.MULTILINE)
    paths = create_app().openapi()["paths"]

    assert dict(rows) == {
        f"{method.upper()} {path}": wanted(operation) for path, methods in paths.items() for method, operation in methods.items()
    }


def test_every_code_that_an_error_may_have_is_documented_with_its_status() -> None:
    # What is wrong with the configuration is told to whoever starts the server, and with a file on its document.
    leaves = [
        kind for kind in kinds(DocentError) if "code" in vars(kind) and not issubclass(kind, (ConfigurationError, ParsingError))
    ]
    api = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "backend" / "api").glob("*.py"))
    expected = defaultdict(set, {500: {DocentError.code}})
    for status, code in [
        *((status_of(kind), kind.code) for kind in leaves),
        *CODES.items(),
        *((int(status), code) for status, code in re.findall(r'problem_response\((\d+), code="(\w+)"', api)),
    ]:
        expected[status].add(code)
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", section(API, "Errors"), re.MULTILINE)

    assert {ServerStoppingError, CursorInvalidError} <= set(leaves)
    assert {int(status): set(re.findall(r"`(\w+)`", codes)) for status, codes in rows} == expected
    assert f"`{ParsingError.code}`" in API


def test_the_limits_are_those_of_a_new_database() -> None:
    revision = (ROOT / "alembic" / "versions" / "2026_11_22_0004_accounts.py").read_text(encoding="utf-8")
    columns = re.findall(r"^    (\(.+\)),$", revision.partition("TIERS = (")[2].partition("\n)")[0], re.MULTILINE)
    table = API.partition("<!-- tiers -->")[2].partition("<!-- /tiers -->")[0]
    rows = [re.findall(r"[\w,]+", line) for line in table.splitlines() if line.startswith("| ")]

    tiers = [tuple(re.findall(r"\w+", column.replace("_", ""))) for column in columns]
    assert [tuple(cell.replace(",", "") for cell in row[1:]) for row in rows] == list(zip(*tiers, strict=True))


def test_what_slows_strangers_down_is_what_is_written() -> None:
    rules = [rule for rule in vars(throttling).values() if isinstance(rule, throttling.Rule)]
    rows = re.findall(r"^\| `(\w+)` \| (\d+) [\w ]+? (\d+) minutes", section(API, "Limits"), re.MULTILINE)

    assert {(name, int(limit), 60 * int(minutes)) for name, limit, minutes in rows} == {
        (rule.name, rule.limit, rule.seconds) for rule in rules
    }


def test_answers_are_changed_as_the_table_says() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", section(API, "What an answer cannot hold"), re.MULTILINE)

    assert len(rows) > 5
    for said, shown in rows:
        neutraliser = Neutraliser()
        assert neutraliser.feed(said) + neutraliser.finish() == shown


def test_the_audit_log_tells_what_is_listed() -> None:
    table = OPERATIONS.partition("<!-- events -->")[2].partition("<!-- /events -->")[0]
    services = [path.read_text(encoding="utf-8") for path in (ROOT / "backend" / "services").rglob("*.py")]
    noted = {kind for source in services for kind in re.findall(r'audit\.note\(\s*"(\w+)"', source)}

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == noted


def test_each_control_of_security_names_a_place_and_tests_that_exist() -> None:
    rows = [line.split(" | ") for line in section(SECURITY, "The controls").splitlines() if line.startswith("| **")]
    missing = []

    for control, where, proofs in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", proofs)
        assert where, control
        assert named, control
        for path, test in named:
            source = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else ""
            if not re.search(rf"^(?:async )?def {test}\(", source, re.MULTILINE):
                missing.append(f"{path}::{test}")

    assert len(rows) > 20
    assert missing == []


def test_the_formats_that_are_read_are_listed() -> None:
    quickstart = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")

    assert [extension for extension in BY_EXTENSION if extension and f"`{extension}`" not in quickstart] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(CODE.sub("``", page.read_text(encoding="utf-8"))):
        aim = (page.parent / target).resolve() if target else page
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_the_text_exist(page: Path) -> None:
    named = re.findall(r"`((?:backend|tests|docs|deploy|examples|alembic)/[\w./-]*)`", page.read_text(encoding="utf-8"))

    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_is_asked_for_targets_that_it_has(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    asked = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)

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
