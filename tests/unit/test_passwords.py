"""Hashing passwords."""

import subprocess
import sys

SEVERAL_AT_ONCE = """
import asyncio
from backend.core.security import PasswordHasher

async def main():
    hasher = PasswordHasher()
    hashes = await asyncio.gather(*(hasher.hash("correct horse") for _ in range(4)))
    print(all([await hasher.verify("correct horse", one) for one in hashes]))
    hasher.close()

asyncio.run(main())
"""


def test_the_first_passwords_of_a_process_may_come_at_the_same_time() -> None:
    # In a process of its own: here passlib may have loaded argon2 long ago.
    ended = subprocess.run([sys.executable, "-c", SEVERAL_AT_ONCE], capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")
