"""The steps of the Dockerfile, without an engine: what they build serves. It installs everything anew: ``make test-image``."""

import asyncio
import os
import re
import shlex
import shutil
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import httpx2
import pytest

from backend.adapters.servers.processes import plain_environment
from tests.support.chroma import free_port
from tests.support.product import NO_TLS

ROOT = Path(__file__).parents[2]
[BUILD, FINAL] = re.split(r"^FROM .*$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
VERSION = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
CACHES = {"UV_NO_CACHE", "UV_PROJECT_ENVIRONMENT"}
"""Settings of the build that are about the image, and not about what is in it."""


def steps(stage: str, name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", stage, re.MULTILINE)


def settings(stage: str) -> dict[str, str]:
    words = [word for line in steps(stage, "ENV") for word in shlex.split(line)]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def uv() -> str:
    assert VERSION is not None
    own = ROOT / ".tools" / f"uv-{VERSION[1]}" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    return found or pytest.skip("uv is not installed")


def test_what_the_steps_of_the_image_name_is_here() -> None:
    for line in steps(BUILD, "COPY"):
        assert [source for source in line.split()[:-1] if not (ROOT / source).exists()] == []
    assert "COPY --from=build /opt/docent /opt/docent" in FINAL
    assert settings(BUILD)["UV_PROJECT_ENVIRONMENT"] == "/opt/docent"
    assert steps(FINAL, "USER") == ["docent"]


@pytest.mark.skipif(not os.environ.get("DOCENT_IMAGE"), reason="installs everything anew: make test-image")
@pytest.mark.timeout(3600)
async def test_the_steps_of_the_image_build_something_that_serves(tmp_path: Path) -> None:
    source, installed = tmp_path / "src", tmp_path / "opt" / "docent"
    source.mkdir()
    given = {name: value for name, value in settings(BUILD).items() if name not in CACHES}
    environment = {**plain_environment(**given), "UV_PROJECT_ENVIRONMENT": str(installed), "UV_SYSTEM_CERTS": "true"}
    for instruction, words in re.findall(r"^(COPY|RUN) (.*)$", BUILD, re.MULTILINE):
        if instruction == "COPY":
            for name in words.split()[:-1]:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, source / name)
        elif words.startswith("uv "):
            await run(uv(), *words.split()[1:], environment=environment, folder=source)
    shutil.rmtree(source)

    port = free_port()
    own = plain_environment(HOST="127.0.0.1", PORT=str(port), DATA_DIR=str(tmp_path / "data"), UI_PORT="0")
    folder = tmp_path / "home"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        str(installed / "bin" / "docent"), "serve", env=own, cwd=folder, stdout=PIPE, stderr=STDOUT
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(300):
            while b"In a browser" not in (line := await process.stdout.readline()):
                assert line, f"it ended with {await process.wait()}"
        async with httpx2.AsyncClient(verify=NO_TLS) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200
    finally:
        process.terminate()
        await process.communicate()


async def run(*command: str, environment: dict[str, str], folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=folder, stdout=PIPE, stderr=STDOUT)
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")
