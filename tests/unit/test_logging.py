import os
import subprocess
import sys

import pytest

LOGS = """
import structlog
from backend.core.logging import configure_logging
configure_logging("info", "{style}")
def sign_in(password):
    raise RuntimeError("it broke")
try:
    sign_in("hunter" + str(2))
except RuntimeError:
    structlog.get_logger("backend").exception("failed", path="/a")
"""


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_shows_where_and_not_with_which_values(style: str) -> None:
    # On a terminal, where structlog would print every local variable.
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", LOGS.format(style=style)], stderr=theirs) as process:
        process.wait(timeout=30)
    written = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)

    assert "it broke" in written
    assert "sign_in" in written
    assert "hunter2" not in written


RETRIES = """
import asyncio
import stamina
from backend.core.logging import configure_logging
configure_logging("debug", "json")
@stamina.retry(on=OSError, attempts=2, wait_initial=0, wait_jitter=0)
async def store(question):
    raise OSError("away")
try:
    asyncio.run(store("hunter" + str(2)))
except OSError:
    print("gave up")
"""


def test_what_is_called_again_is_not_logged_with_its_arguments() -> None:
    # An answer that is stored again brings its question along, and what was said.
    command = [sys.executable, "-c", RETRIES]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout == "gave up\n"
    assert "hunter2" not in ended.stderr
