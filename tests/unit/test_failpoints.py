"""Named places that fail on demand, and only then."""

from collections.abc import Iterator
from time import monotonic

import pytest

from backend.core.config import Settings
from backend.core.errors import ConfigurationError
from backend.core.failpoints import FAILPOINTS, FailpointError, arm, reach


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


async def test_nothing_happens_anywhere_unless_it_is_armed() -> None:
    for name in FAILPOINTS:
        await reach(name)


async def test_an_armed_place_acts_every_time_and_the_others_never() -> None:
    arm("index.stored=raise")
    await reach("index.parsed")
    for _ in range(2):
        with pytest.raises(FailpointError, match=r"index\.stored"):
            await reach("index.stored")


async def test_it_acts_at_the_nth_time_only_where_that_is_asked_for() -> None:
    arm("index.stored=raise@3; index.parsed=raise")
    for _ in range(2):
        await reach("index.stored")
    with pytest.raises(FailpointError):
        await reach("index.stored")
    await reach("index.stored")
    with pytest.raises(FailpointError):
        await reach("index.parsed")


async def test_it_sleeps_for_as_long_as_it_is_told() -> None:
    arm("index.stored=sleep:0.05")
    begun = monotonic()
    await reach("index.stored")
    assert monotonic() - begun >= 0.045


async def test_arming_anew_disarms_what_was_armed_before() -> None:
    arm("index.stored=raise")
    arm("index.parsed=raise")
    await reach("index.stored")
    arm("")
    await reach("index.parsed")


@pytest.mark.parametrize(
    "wrong", ["nowhere=raise", "index.stored", "index.stored=explode", "index.stored=sleep:long", "index.stored=raise@x", "=raise"]
)
async def test_what_nobody_can_mean_is_refused_and_changes_nothing(wrong: str) -> None:
    arm("index.parsed=raise")
    with pytest.raises(ValueError):  # noqa: PT011 - which of them it is does not matter
        arm(f"index.stored=raise; {wrong}")
    await reach("index.stored")
    with pytest.raises(FailpointError):
        await reach("index.parsed")


def test_production_refuses_any() -> None:
    values: dict[str, object] = {
        "environment": "production",
        "secret_key": "0123456789abcdef" * 2,
        "chat_provider": "ollama",
        "embedder": "ollama",
        "cors_origins": "https://docent.example",
    }
    Settings(_env_file=None, **values, failpoints="").check()  # type: ignore[arg-type] # checked by pydantic
    with pytest.raises(ConfigurationError, match="FAILPOINTS"):
        Settings(_env_file=None, **values, failpoints="index.stored=sleep:1").check()  # type: ignore[arg-type]
