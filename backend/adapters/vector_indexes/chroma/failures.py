"""From the exceptions of chromadb to ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.errors import DocentError, VectorIndexBrokenError, VectorIndexUnavailableError

_DAMAGE = re.compile(r"hnsw|finding id", re.IGNORECASE)  # what 1.5.9 says of segment files that were cut or are missing


@contextmanager
def translated() -> Iterator[None]:
    """Name the situation that an exception of the client tells of; a defect of ours passes through."""
    try:
        yield
    except DocentError:
        raise
    except Exception as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: Exception) -> Exception | None:
    """Name the situation; None for what is a defect of ours."""
    import httpx  # noqa: PLC0415 - chromadb's own, half a second to import
    from chromadb.errors import ChromaError, InternalError, InvalidArgumentError  # noqa: PLC0415

    text = str(error)
    if isinstance(error, InternalError) and _DAMAGE.search(text):
        return VectorIndexBrokenError()
    if isinstance(error, InvalidArgumentError):
        return VectorIndexBrokenError() if "dimension" in text else ValueError("Chroma refused an argument")
    # chromadb raises a bare Exception for an error in a foreign form (a proxy's 502), ValueError for an answer that is not JSON.
    silent = isinstance(error, httpx.HTTPError | OSError | ChromaError | ValueError) or type(error) is Exception
    return VectorIndexUnavailableError() if silent else None
