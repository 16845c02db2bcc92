"""The roles and the database of the embedded PostgreSQL, made once by the cluster's superuser."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.adapters.servers.private_files import LOOPBACK, write_private
from backend.adapters.servers.processes import output_of, plain_environment
from backend.core.errors import ConfigurationError

SUPERUSER = "docent_superuser"
OWNER = "docent_owner"
APP = "docent_app"
DATABASE = "docent"

_SCRIPT = r"""
\set ON_ERROR_STOP on
\set VERBOSITY terse
set client_min_messages = warning;
-- A failing statement is not logged: it may hold a password.
set log_min_error_statement = panic;

-- The comment on the database is written last, so it says that all of this was done.
select count(*) = 3 and exists (
  select from pg_database where datname = 'docent' and shobj_description(oid, 'pg_database') = 'docent: roles 1'
) as done from pg_roles where rolname in ('docent_owner', 'docent_app', 'docent_definer') \gset
\if :done
  \quit
\endif

select format('create role %I', name) from unnest(array['docent_owner', 'docent_app', 'docent_definer']) name
 where not exists (select from pg_roles where rolname = name) \gexec
-- CREATEDB lets tests and tools clone the database without the superuser.
alter role docent_owner login nosuperuser createdb nocreaterole noreplication nobypassrls password :'owner';
alter role docent_app login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'app';
alter role docent_definer nologin nosuperuser nocreatedb nocreaterole noreplication bypassrls;
grant docent_definer to docent_owner with inherit true, set true;

select 'create database docent owner docent_owner'
 where not exists (select from pg_database where datname = 'docent') \gexec
\connect docent
set log_min_error_statement = panic;
-- ALTER FUNCTION ... OWNER TO docent_definer wants that the new owner could have created the function.
grant usage, create on schema public to docent_definer;
grant usage on schema public to docent_app;
alter default privileges for role docent_owner in schema public grant select, insert, update, delete on tables to docent_app;
alter default privileges for role docent_owner in schema public grant usage on sequences to docent_app;
alter default privileges for role docent_owner in schema public grant execute on functions to docent_app;
comment on database docent is 'docent: roles 1';
"""


@dataclass(frozen=True, slots=True)
class Passwords:
    """Generated for one data folder. The superuser's is for the launcher alone."""

    superuser: str
    owner: str
    app: str


def passwords_of(folder: Path, *, cluster_exists: bool) -> Passwords:
    """Return the folder's passwords, generated (256 bits each, 0600) before its cluster is made.

    Raises:
        ConfigurationError: There is a cluster, and the file that holds its passwords is missing or damaged.
    """
    path = folder / "postgres.json"
    try:
        return Passwords(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError) as error:
        if cluster_exists:
            message = f"{path}, with the passwords of the embedded PostgreSQL, is missing or damaged: restore it from a backup."
            raise ConfigurationError(message) from error
    passwords = Passwords(*(secrets.token_hex(32) for _ in range(3)))
    write_private(path, json.dumps(asdict(passwords)))
    return passwords


async def ensure_roles(psql: Path, port: int, passwords: Passwords) -> str | None:
    """Make the roles, the database and the default privileges where they are missing; one query where they are not.

    Returns ``None``, or what ``psql`` complained about.
    """
    variables = f"\\set owner '{passwords.owner}'\n\\set app '{passwords.app}'\n"
    command = (
        str(psql),
        "-X",
        "-q",
        "-A",
        "-t",
        "-w",
        "-h",
        LOOPBACK,
        "-p",
        str(port),
        "-U",
        SUPERUSER,
        "-d",
        "postgres",
        "-f",
        "-",
    )
    status, _, errors = await output_of(command, variables + _SCRIPT, plain_environment(PGPASSWORD=passwords.superuser))
    return None if status == 0 else errors.strip()
