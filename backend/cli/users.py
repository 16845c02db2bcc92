"""``docent user``: accounts, from the operator's own command line. An administrator is made here, and never by being first."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from backend.cli.commands import app, open_application, read_settings, run
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.core.values.user import Origin, Role, Tier

if TYPE_CHECKING:
    from backend.schemas.users import UserIn

users = typer.Typer(help="Manage accounts.", no_args_is_help=True)
app.add_typer(users, name="user")

HERE = Origin(address="command line")


@users.command()
def create(
    username: Annotated[str, typer.Argument(help="The name to sign in with.")],
    email: Annotated[str, typer.Option(help="The address of its owner.")],
    admin: Annotated[bool, typer.Option("--admin", help="May administer the system.")] = False,
    password: Annotated[str | None, typer.Option(envvar="DOCENT_PASSWORD", help="Without it, one is made and shown.")] = None,
) -> None:
    """Open an account, beside a running Docent or alone."""
    from backend.schemas.users import UserIn  # noqa: PLC0415 - no other command needs it

    configure_logging("error", "auto")
    made = password or secrets.token_urlsafe(12)
    with _problems():
        wanted = UserIn.model_validate(
            {"username": username, "email": email, "password": made, "role": "admin" if admin else "user"}
        )
    run(_create(read_settings(), wanted))
    if password is None:
        typer.echo(f"The password of {username} is {made}")


async def _create(settings: Settings, wanted: "UserIn") -> None:
    async with open_application(settings, attach=True) as application:
        user = await application.services.administration.create(
            username=wanted.username,
            email=wanted.email,
            password=wanted.password.get_secret_value(),
            full_name=None,
            role=wanted.role,
            actor_id=None,
            origin=HERE,
        )
    typer.echo(f"{user.username} was made ({user.role}, {user.id}).")


@users.command()
def password(
    username: Annotated[str, typer.Argument(help="The name or the address to sign in with.")],
    password: Annotated[str | None, typer.Option(envvar="DOCENT_PASSWORD", help="Without it, one is made and shown.")] = None,
) -> None:
    """Set an account's password anew, beside a running Docent or alone. Everything that was signed in ends, API keys too."""
    from backend.schemas.auth import ResetPasswordIn  # noqa: PLC0415 - no other command needs it

    configure_logging("error", "auto")
    made = password or secrets.token_urlsafe(12)
    with _problems():
        ResetPasswordIn.model_validate({"token": "none", "new_password": made})
    run(_set_password(read_settings(), username, made))
    if password is None:
        typer.echo(f"The password of {username} is {made}")


async def _set_password(settings: Settings, username: str, password: str) -> None:
    async with open_application(settings, attach=True) as application:
        administration = application.services.administration
        user = await administration.named(username)
        await administration.set_password(user.id, password, origin=HERE)
    typer.echo(f"{user.username} has a new password, and is signed in nowhere any more.")
    if not user.is_active:
        typer.echo(f"The account is disabled: docent user change {user.username} --active")


@users.command()
def change(
    username: Annotated[str, typer.Argument(help="The name or the address to sign in with.")],
    role: Annotated[Role | None, typer.Option(help="What the account may do.")] = None,
    tier: Annotated[Tier | None, typer.Option(help="How much of it.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--disabled", help="A disabled account loses every credential.")] = None,
) -> None:
    """Change what an account may do, beside a running Docent or alone. Without an option it is shown."""
    configure_logging("error", "auto")
    run(_change(read_settings(), username, role, tier, active=active))


async def _change(settings: Settings, username: str, role: Role | None, tier: Tier | None, *, active: bool | None) -> None:
    async with open_application(settings, attach=True) as application:
        administration = application.services.administration
        found = await administration.named(username)
        user = await administration.update(None, found.id, role=role, tier=tier, is_active=active, origin=HERE)
    typer.echo(f"{user.username}: {user.role}, {user.tier}, {'active' if user.is_active else 'disabled'}")


@contextmanager
def _problems() -> Iterator[None]:
    """Name what cannot be taken, and end with exit code 2."""
    try:
        yield
    except ValidationError as error:
        for problem in error.errors():
            typer.secho(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", err=True, fg="red")
        raise typer.Exit(2) from error
