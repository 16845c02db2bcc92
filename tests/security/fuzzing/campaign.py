"""One run of Schemathesis against a running product."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.support.product import PASSWORD, Product

HERE = Path(__file__).parent
EVERYTHING = "coverage,fuzzing,stateful"
RANDOM = "fuzzing,stateful"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has an account with the password of all tests."""

    username: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """What came of a run."""

    cases: int
    operations: int
    untested: int
    seconds: float
    failures: list[str]
    output: str

    def __str__(self) -> str:
        return f"{self.cases} cases for {self.operations} operations in {self.seconds:.0f} s"


async def fuzz(
    product: Product,
    person: Person,
    folder: Path,
    *,
    seed: int,
    examples: int,
    phases: str = EVERYTHING,
    seconds: float | None = None,
) -> Campaign:
    """Fuzz the whole API with a person's token.

    ``coverage`` sends what follows from the description, the same each time; ``fuzzing`` up to ``examples`` random requests to
    each operation; ``stateful`` chains of requests that use what came back. With ``seconds`` it goes on until the time is up.
    """
    report = folder / "report.json"
    arguments = [
        *("--config-file", HERE / "schemathesis.toml", "--no-color", "run", f"{product.url}/openapi.json"),
        *("--seed", seed, "--max-examples", examples, "--phases", phases, "--report", "json", "--report-json-path", report),
        *(() if seconds is None else ("--max-time", int(seconds))),
    ]
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        *map(str, arguments),
        cwd=folder,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
            "FUZZ_URL": product.url,
            "FUZZ_USERNAME": person.username,
            "FUZZ_PASSWORD": PASSWORD,
            "FUZZ_USER_ID": person.user_id,
        },
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        output = (await process.communicate())[0].decode(errors="replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not report.exists():
        return Campaign(0, 0, 0, 0, ["no report"], output)
    told = orjson.loads(report.read_bytes())
    failures = [f"{found['title']}: {', '.join(found['operations'])}" for found in told["failures"]]
    failures += [error["title"] for error in told["errors"]]
    operations = told["operations"]
    return Campaign(
        told["test_cases"]["generated"],
        operations["tested"],
        operations["total"] - operations["tested"],
        told["running_time"],
        failures,
        output,
    )
