"""`docent doctor`: it finds nothing wrong with what works, and names what does not, with what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.ollama import EMBEDDING_MODEL, StandInOllama
from tests.support.product import run_docent, running_product

DOCENT = Path(sys.executable).with_name("docent")


def examined(folder: Path, **settings: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Return the exit code, the worst finding of each subject, and all that was printed."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | settings
    done = subprocess.run(
        [DOCENT, "doctor", "--json"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    found: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines():
        finding = json.loads(line)
        if finding["state"] != "fine" or finding["subject"] not in found:
            found[finding["subject"]] = finding
    return done.returncode, found, done.stdout + done.stderr


async def test_nothing_is_wrong_with_a_running_product(tmp_path: Path) -> None:
    async with (
        StandInOllama() as ollama,
        running_product(tmp_path / "data", chat_provider="ollama", embedder="ollama", ollama_url=ollama.url) as product,
    ):
        code, told = await run_docent(product, "doctor")

    assert (code, "WRONG" in told) == (0, False), told
    for subject in (
        "Settings",
        "PostgreSQL",
        "Schema",
        "Files",
        "Chroma",
        "Language model: ollama llama3.2:1b",
        "Embedder: ollama/",
    ):
        assert f"ok      {subject}" in told, told


async def test_a_model_that_is_missing_is_named_with_the_command_that_gets_it(tmp_path: Path) -> None:
    async with (
        StandInOllama(models=(EMBEDDING_MODEL,)) as ollama,
        running_product(tmp_path / "data", chat_provider="ollama", embedder="hashing", ollama_url=ollama.url) as product,
    ):
        code, told = await run_docent(product, "doctor")

    assert code == 1, told
    assert "docent models pull llama3.2:1b" in told


def test_each_server_that_does_not_answer_is_named_and_no_password(tmp_path: Path) -> None:
    nowhere = "127.0.0.1:9"
    code, found, printed = examined(
        tmp_path,
        DATABASE_URL=f"postgresql://docent:a-secret-word@{nowhere}/docent",
        CHROMA_URL=f"http://{nowhere}",
        REDIS_URL=f"redis://:a-secret-word@{nowhere}/0",
        CHAT_PROVIDER="ollama",
        OLLAMA_URL=f"http://{nowhere}",
        STATUS_SERVICES=f"crm=http://user:a-secret-word@{nowhere}/health",
    )

    assert code == 1
    wrong = {subject for subject, finding in found.items() if finding["state"] == "wrong"}
    assert wrong == {"PostgreSQL", "Chroma", "Redis", "Language model", "crm"}, printed
    assert all(finding["mend"] for finding in found.values() if finding["state"] != "fine")
    assert "a-secret-word" not in printed
    assert "Traceback" not in printed


def test_settings_that_are_not_safe_are_the_only_finding(tmp_path: Path) -> None:
    code, found, printed = examined(tmp_path, ENVIRONMENT="production")

    assert code == 1
    assert list(found) == ["Settings"], printed
    assert "SECRET_KEY" in found["Settings"]["sentence"]


def test_a_folder_that_others_may_look_into_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / ".env").write_text("API_PROCESSES=2\n")
    (tmp_path / ".env").chmod(0o644)
    code, found, printed = examined(tmp_path, CHAT_PROVIDER="extractive", EMBEDDER="hashing")

    assert (found["Data folder"]["state"], found["Data folder"]["mend"]) == ("warning", f"chmod 700 {tmp_path / 'data'}"), printed
    assert found[".env"]["mend"] == "chmod 600 .env"
    assert (found["API processes"]["state"], "REDIS_URL" in found["API processes"]["mend"]) == ("warning", True)
    assert found["Schema"]["state"] == "warning", "nothing was ever served here"
    assert code == 0
