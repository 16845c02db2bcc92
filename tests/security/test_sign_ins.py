"""Passwords, and what ends a sign-in."""

import asyncio
from time import process_time
from uuid import UUID, uuid4

import pytest

from backend.core.errors import CredentialsInvalidError, RefreshTokenInvalidError, TokenInvalidError
from backend.core.security import PasswordHasher, RefreshToken
from backend.core.values.user import Origin, TokenPair
from backend.services.accounts.credentials import AccountService
from tests.support.workshop import Workshop

PASSWORD = "correct horse"
ZERO = "0" * 32


async def signed_in(workshop: Workshop) -> tuple[UUID, AccountService, TokenPair]:
    user_id = await workshop.user()
    accounts = workshop.services.accounts
    username = (await workshop.services.profile.me(user_id)).username
    return user_id, accounts, await accounts.sign_in(login=username, password=PASSWORD, origin=Origin(user_agent="a browser"))


async def test_any_password_that_can_be_registered_can_be_signed_in_with_and_no_other(workshop: Workshop) -> None:
    accounts = workshop.services.accounts
    for password in ("x" * 256, "🔑" * 256, "pässwörd  ", "密碼密碼密碼密碼", "a\x00b-longer", "\t\n quote'\"\\"):
        name = f"u{uuid4().hex[:12]}"
        await accounts.register(username=name, email=f"{name}@example.com", password=password, full_name=None)
        assert await accounts.sign_in(login=name, password=password)
        for wrong in (password[:-1], password + "x", password.upper() + " ", "", "a"):
            with pytest.raises(CredentialsInvalidError):
                await accounts.sign_in(login=name, password=wrong)


async def test_unknown_user_wrong_password_and_disabled_account_are_one_answer_in_one_time(workshop: Workshop) -> None:
    user_id, accounts, _ = await signed_in(workshop)
    username = (await workshop.services.profile.me(user_id)).username
    disabled = (await workshop.services.profile.me(await workshop.user("carol"))).username
    await workshop.rows("update users set is_active = false where username = $1", disabled)
    logins = {"unknown": (f"nobody-{uuid4()}", PASSWORD), "wrong": (username, "wrong horse"), "disabled": (disabled, PASSWORD)}
    times: dict[str, list[float]] = {kind: [] for kind in logins}
    answers = set()

    # Processor time, and the least of several turns: a busy machine adds to the time on the clock, and never takes anything away.
    for _ in range(9):
        for kind, (login, password) in logins.items():
            begun = process_time()
            with pytest.raises(CredentialsInvalidError) as refused:
                await accounts.sign_in(login=login, password=password)
            times[kind].append(process_time() - begun)
            answers.add((type(refused.value), refused.value.code, refused.value.message, str(refused.value.details)))

    assert len(answers) == 1
    for kind in ("unknown", "disabled"):
        assert 0.5 < min(times[kind]) / min(times["wrong"]) < 2, times


async def test_hashing_leaves_the_event_loop_free_and_old_hashes_are_renewed(workshop: Workshop) -> None:
    user_id, accounts, _ = await signed_in(workshop)
    hasher = PasswordHasher()
    weak = hasher._scheme.using(memory_cost=8, time_cost=1).hash(PASSWORD)
    await workshop.rows("update users set password_hash = $1 where id = $2", weak, user_id)
    assert hasher.is_outdated(weak)

    username = (await workshop.services.profile.me(user_id)).username
    with pytest.raises(CredentialsInvalidError):
        await accounts.sign_in(login=username, password="wrong")
    assert (await workshop.services.profile.me(user_id)).password_hash == weak
    await accounts.sign_in(login=username, password=PASSWORD)
    assert not hasher.is_outdated((await workshop.services.profile.me(user_id)).password_hash)
    await accounts.sign_in(login=username, password=PASSWORD)
    hasher.close()


async def test_a_refresh_token_is_good_once_and_coming_again_it_ends_the_whole_sign_in(workshop: Workshop) -> None:
    user_id, accounts, first = await signed_in(workshop)
    other = await accounts.sign_in(login=(await workshop.services.profile.me(user_id)).username, password=PASSWORD)
    second = await accounts.refresh(first.refresh_token)
    third = await accounts.refresh(second.refresh_token)
    assert len({pair.refresh_token for pair in (first, second, third)}) == 3
    for pair in (first, second, third):
        assert (await accounts.caller(pair.access_token)).user_id == user_id

    with pytest.raises(RefreshTokenInvalidError):
        await accounts.refresh(first.refresh_token)

    for pair in (second, third):
        with pytest.raises(RefreshTokenInvalidError):
            await accounts.refresh(pair.refresh_token)
        with pytest.raises(TokenInvalidError):
            await accounts.caller(pair.access_token)
    assert (await accounts.caller(other.access_token)).user_id == user_id
    assert await accounts.refresh(other.refresh_token)


async def test_of_concurrent_refreshes_one_gets_a_pair_and_the_copies_end_the_sign_in(workshop: Workshop) -> None:
    # Nobody can tell a race of two tabs from a thief who is as fast as the owner, so the careful answer is given (RFC 9700).
    _, accounts, pair = await signed_in(workshop)

    outcomes = await asyncio.gather(*(accounts.refresh(pair.refresh_token) for _ in range(5)), return_exceptions=True)

    winners = [one for one in outcomes if isinstance(one, TokenPair)]
    assert len(winners) == 1
    assert sum(isinstance(one, RefreshTokenInvalidError) for one in outcomes) == 4
    with pytest.raises(RefreshTokenInvalidError):
        await accounts.refresh(winners[0].refresh_token)


async def test_signing_out_ends_access_tokens_at_once_and_only_with_the_right_secret(workshop: Workshop) -> None:
    user_id, accounts, pair = await signed_in(workshop)
    other = await accounts.sign_in(login=(await workshop.services.profile.me(user_id)).username, password=PASSWORD)
    guessed = RefreshToken.make(RefreshToken.read(pair.refresh_token).sign_in_id)
    await accounts.sign_out(guessed.text)
    assert await accounts.caller(pair.access_token)

    await accounts.sign_out(pair.refresh_token)
    await accounts.sign_out(pair.refresh_token)

    with pytest.raises(TokenInvalidError):
        await accounts.caller(pair.access_token)
    with pytest.raises(RefreshTokenInvalidError):
        await accounts.refresh(pair.refresh_token)
    assert await accounts.caller(other.access_token)


@pytest.mark.parametrize(
    ("change", "refreshes"),
    [
        ("update users set is_active = false", False),
        ("update auth_sessions set expires_at = now() - interval '1 second'", False),
        ("update auth_sessions set revoked_at = now()", False),
        ("delete from auth_sessions", False),
        ("delete from users", False),
        ("update users set token_version = token_version + 1", True),
    ],
)
async def test_what_ends_a_sign_in_ends_its_tokens_at_once(workshop: Workshop, change: str, refreshes: bool) -> None:
    _, accounts, pair = await signed_in(workshop)
    assert await accounts.caller(pair.access_token)
    await workshop.rows(change)

    with pytest.raises(TokenInvalidError):
        await accounts.caller(pair.access_token)
    if refreshes:
        fresh = await accounts.refresh(pair.refresh_token)
        assert await accounts.caller(fresh.access_token)
    else:
        with pytest.raises(RefreshTokenInvalidError):
            await accounts.refresh(pair.refresh_token)


@pytest.mark.parametrize(
    "text",
    [
        *("", "dr_", "dr__", "x", "\x00", "x" * 10_000, "dr_nothex_secret", f"dr_{ZERO}", f"dr_{ZERO}_\ud800", f"dr_{ZERO}_é"),
        *(f"dr_{ZERO}_{'x' * 300}", f"dr_{'5' * 32}_unknown"),
    ],
)
async def test_whatever_else_is_no_refresh_token(workshop: Workshop, text: str) -> None:
    with pytest.raises(RefreshTokenInvalidError):
        await workshop.services.accounts.refresh(text)


async def test_neither_passwords_nor_refresh_tokens_are_stored_or_shown(workshop: Workshop) -> None:
    _, _, pair = await signed_in(workshop)
    stored = str(await workshop.rows("select u::text, s::text from users u join auth_sessions s on s.owner_id = u.id"))
    for secret in (PASSWORD, pair.refresh_token, RefreshToken.read(pair.refresh_token).secret):
        assert secret not in stored
    assert pair.refresh_token not in repr(pair)
    assert pair.access_token not in repr(pair)
