"""Addresses with names, as a setting writes them: ``name=url, name=url``."""

import re
from urllib.parse import urlsplit

from backend.core.errors import ConfigurationError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENTRY = "is not name=http://... or name=https://..."


def named_urls(setting: str, text: str) -> dict[str, str]:
    """Return the addresses by their names, in their order. A comma within an address is written ``%2C``.

    Raises:
        ConfigurationError: An entry is not of that form, or a name comes twice. It names the setting and the place of the entry,
            which itself may hold a password.
    """
    found: dict[str, str] = {}
    for place, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, _, url = (part.strip() for part in entry.partition("="))
        if not NAME.fullmatch(name) or not _is_web_address(url):
            raise ConfigurationError(f"{setting}: entry {place} {_ENTRY}")
        if name in found:
            raise ConfigurationError(f"{setting}: the name {name} comes twice.")
        found[name] = url
    return found


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:  # The port is no number, or the brackets of an IPv6 address do not match.
        return False
