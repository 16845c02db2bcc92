"""From the exceptions of obstore and of the operating system to ours."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from backend.core.errors import BlobNotFoundError, BlobStoreUnavailableError, DocentError, StorageFullError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def translated() -> Iterator[None]:
    """Name the situation that an exception tells of."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise _meaning(error) from error


def _meaning(error: BaseError | OSError) -> DocentError:
    """Name the situation. obstore tells the operating system's error number in its text only."""
    if isinstance(error, FileNotFoundError):
        return BlobNotFoundError()
    told = _OS_ERROR.search(str(error))
    number = int(told.group(1)) if told else getattr(error, "errno", None)
    return StorageFullError() if number in _NO_ROOM else BlobStoreUnavailableError()
