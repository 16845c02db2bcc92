"""What a start need not wait for."""

import subprocess
import sys

SLOW = ("sqlalchemy", "fastapi", "uvicorn", "numpy", "aiohttp", "chromadb", "procrastinate", "jose", "backend.bootstrap")
BESIDE = ("fastapi", "uvicorn", "chromadb", "onnxruntime", "alembic", "procrastinate", "py3langid")
LATER = ("chromadb", "onnxruntime", "tokenizers", "alembic", "py3langid", "lxml", "pypdfium2", "langchain", "mcp.client")
OF_THE_PAGES = ("streamlit", "pandas", "pyarrow", "httpx2")


def loaded_by(statements: str) -> set[str]:
    """Return the modules that a new process has loaded after some statements."""
    program = f"{statements}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split())


def test_help_and_mistakes_do_not_wait_for_the_product() -> None:
    assert loaded_by("import backend.cli").isdisjoint(SLOW)


def test_commands_beside_a_server_do_not_wait_for_the_web_nor_for_what_only_some_need() -> None:
    assert loaded_by("import backend.cli, backend.bootstrap.application").isdisjoint(BESIDE)


def test_a_server_does_not_wait_for_what_only_some_requests_need() -> None:
    assert loaded_by("from backend.main import app").isdisjoint(LATER)


def test_a_server_never_loads_what_its_pages_are_made_of() -> None:
    assert loaded_by("from backend.main import app\nimport backend.cli.server, backend.bootstrap.pages").isdisjoint(OF_THE_PAGES)
