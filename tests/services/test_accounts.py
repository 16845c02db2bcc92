"""Accounts, apart from credentials (tests/security)."""

import asyncio
from uuid import UUID, uuid4

import pytest

from backend.core.errors import (
    CredentialsInvalidError,
    EmailTakenError,
    RegistrationClosedError,
    TokenInvalidError,
    UsernameTakenError,
)
from backend.core.values.user import Origin
from backend.services.registry import Services
from tests.conftest import ApplicationFactory

PASSWORD = "correct horse"


async def opened(services: Services, username: str, email: str | None = None) -> str:
    user = await services.accounts.register(
        username=username, email=email or f"{username}@example.com", password=PASSWORD, full_name="A Name"
    )
    return str(user.id)


@pytest.mark.parametrize(
    ("username", "email", "error"),
    [
        ("{0}", "other-{0}@example.com", UsernameTakenError),
        ("{0:upper}", "other-{0}@example.com", UsernameTakenError),
        ("other-{0}", "{0}@example.com", EmailTakenError),
        ("other-{0}", "{0:upper}@EXAMPLE.com", EmailTakenError),
    ],
)
async def test_a_name_and_an_address_belong_to_one_account_whatever_their_case(
    services: Services, username: str, email: str, error: type[Exception]
) -> None:
    name = f"u{uuid4().hex[:10]}"
    await opened(services, name)
    with pytest.raises(error):
        await opened(services, *(text.replace("{0}", name).replace("{0:upper}", name.upper()) for text in (username, email)))


async def test_of_many_registrations_of_one_name_at_once_one_succeeds(services: Services) -> None:
    name = f"u{uuid4().hex[:10]}"
    outcomes = await asyncio.gather(
        *(opened(services, name if number % 2 else name.upper(), f"{number}-{name}@example.com") for number in range(6)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["UsernameTakenError"] * 5 + ["str"]


async def test_people_sign_in_by_name_or_address_in_any_case_and_are_who_they_are(services: Services) -> None:
    name = f"u{uuid4().hex[:10]}"
    user_id = await opened(services, name)
    for login in (name, name.upper(), f"{name}@example.com", f"{name}@EXAMPLE.com"):
        tokens = await services.accounts.sign_in(login=login, password=PASSWORD, origin=Origin(user_agent="a browser"))
        caller = await services.accounts.caller(tokens.access_token)
        assert (str(caller.user_id), caller.role) == (user_id, "user")
        assert tokens.expires_in == 30 * 60
    me = await services.profile.me(caller.user_id)
    assert (me.username, me.email, me.full_name, me.tier, me.is_active) == (name, f"{name}@example.com", "A Name", "free", True)
    assert me.password_hash.startswith("$argon2id$")
    assert me.password_hash not in repr(me)


async def test_a_name_that_is_somebody_elses_address_wins_only_for_itself(services: Services) -> None:
    name = f"u{uuid4().hex[:10]}@example.com"
    first = await opened(services, name, f"other-{name}")
    await opened(services, f"u{uuid4().hex[:10]}", name)
    tokens = await services.accounts.sign_in(login=name, password=PASSWORD)
    assert str((await services.accounts.caller(tokens.access_token)).user_id) == first


async def test_a_user_changes_their_own_name_and_nobody_elses(services: Services) -> None:
    ids = [await opened(services, f"u{uuid4().hex[:10]}") for _ in range(2)]
    first, second = [await services.profile.me(UUID(user_id)) for user_id in ids]

    assert (await services.profile.update(first.id, full_name="New")).full_name == "New"
    assert (await services.profile.update(first.id, full_name=None)).full_name is None
    assert (await services.profile.me(second.id)).full_name == "A Name"
    with pytest.raises(TokenInvalidError):
        await services.profile.update(uuid4(), full_name="Nobody")


async def test_a_closed_door_lets_nobody_register(application: ApplicationFactory) -> None:
    async with application(settings={"registration_open": False}) as running:
        with pytest.raises(RegistrationClosedError):
            await opened(running.services, "anybody")
        with pytest.raises(CredentialsInvalidError):
            await running.services.accounts.sign_in(login="anybody", password=PASSWORD)
