"""The rules of the house that no other tool keeps."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("backend", "tests", "alembic", "examples", "benchmarks", "ui", "deploy")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
REVISIONS = ROOT / "alembic" / "versions"
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base_service", "shared", "v2"}
LONGEST = 250
# Files of these rooms belong to a feature; it bears one name in all of them.
FEATURES = {
    "auth": {"schemas/auth", "api/routes/auth", "services/accounts"},
    "chat": {"schemas/chat", "api/routes/chat", "services/chat"},
    "documents": {
        "schemas/documents",
        "api/routes/documents",
        "services/documents",
        "db/repositories/documents",
        "models/document",
    },
    "sessions": {"schemas/sessions", "api/routes/sessions", "services/sessions", "db/repositories/sessions", "models/chat_session"},
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_file_fits_on_a_few_screens() -> None:
    long = {
        named(path): lines
        for path in SOURCES
        if path.parent != REVISIONS and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }

    assert long == {}


def test_every_module_is_named_after_what_it_holds() -> None:
    assert [named(path) for path in SOURCES if FORBIDDEN & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def swallows(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler takes any exception and does nothing about it."""
    broad = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"})
    silent = (ast.Pass, ast.Continue)
    return broad and all(
        isinstance(statement, silent) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in handler.body
    )


def test_nothing_swallows_every_exception() -> None:
    found = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and swallows(node)
    ]

    assert found == []


def test_the_folder_of_the_migrations_does_not_hide_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_a_feature_bears_one_name_on_every_floor() -> None:
    missing = [file for files in FEATURES.values() for file in files if not (ROOT / "backend" / f"{file}.py").exists()]
    # A file that grew became a package of the same name.
    assert [file for file in missing if not (ROOT / "backend" / file / "__init__.py").exists()] == []


def test_every_file_belongs_to_a_room_that_the_design_knows() -> None:
    floors = {
        "main",
        "cli",
        "bootstrap",
        "api",
        "worker",
        "schemas",
        "services",
        "rag",
        "db",
        "adapters",
        "ports",
        "models",
        "core",
    }
    found = {
        path.relative_to(ROOT / "backend").with_suffix("").parts[0] for path in SOURCES if path.is_relative_to(ROOT / "backend")
    }

    assert found - {"__init__"} == floors
