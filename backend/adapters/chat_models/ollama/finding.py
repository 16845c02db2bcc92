"""Whether there is an Ollama."""

from backend.adapters.wire.failures import WIRE_FAILURES
from backend.adapters.wire.http_session import HttpSession


async def find_ollama(url: str, timeout: float = 1.0) -> str | None:
    """Return the version of the Ollama that answers at the URL within so many seconds, or ``None``."""
    http = HttpSession(connect_timeout=timeout)
    try:
        answer = await http.exchange("GET", f"{url.rstrip('/')}/api/version", within=timeout)
        version = answer.json().get("version") if answer.status == 200 else None
    except WIRE_FAILURES:
        return None
    finally:
        await http.aclose()
    return version if isinstance(version, str) else None
