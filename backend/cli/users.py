"""``docent user``: accounts, from the operator's own command line. An administrator is made here, and never by being first."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from backend.cli.commands import app, open_application, read_settings, run
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.core.values.user import Origin

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
    try:
        wanted = UserIn.model_validate(
            {"username": username, "email": email, "password": made, "role": "admin" if admin else "user"}
        )
    except ValidationError as error:
        for problem in error.errors():
            typer.secho(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", err=True, fg="red")
        raise typer.Exit(2) from error
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
