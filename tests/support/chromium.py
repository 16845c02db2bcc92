"""Debian's Chromium, installed where that is possible."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path
from time import time

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALLED_WITHIN_SECONDS = 300
TRIED_AGAIN_AFTER_SECONDS = 3600


async def chromium() -> str:
    """Return the path of a Chromium: $CHROMIUM, or what is installed. Root gets Debian's where it is missing.

    Where there is none, and none can be installed, the tests that need it are skipped, saying so.
    """
    found = os.environ.get("CHROMIUM") or _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        told = await _install()
        found = _found()
        if found is None:
            pytest.skip(f"Chromium is not installed, and could not be: {told.strip().splitlines()[-1:]}")
    if found is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium), and CHROMIUM names none")
    return found


def _found() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name)) is not None), None)


async def _install() -> str:
    """Install it, one process at a time, and return what was said. What has just failed is not tried by the next process too."""
    with (Path(tempfile.gettempdir()) / "docent-tests-chromium.lock").open("a+") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if _found() is not None:
            return ""
        if lock.tell() and time() - os.fstat(lock.fileno()).st_mtime < TRIED_AGAIN_AFTER_SECONDS:
            lock.seek(0)
            return lock.read()
        told = await _installed()
        lock.truncate(0)
        if _found() is None:
            lock.write(told or "It said nothing.")
        return told


async def _installed() -> str:
    script = "apt-get update -q; apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    process = await asyncio.create_subprocess_exec("sh", "-c", script, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment)
    try:
        async with asyncio.timeout(INSTALLED_WITHIN_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return "The installation took too long."
    return said.decode(errors="replace")
