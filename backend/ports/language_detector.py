"""What language a text is in, as the rest of the system sees it."""

from typing import Protocol


class LanguageDetector(Protocol):
    """Tells languages apart. The same text gives the same answer in every process of a release."""

    async def detect(self, text: str) -> str | None:
        """Return the ISO 639 code of the language that most of a text is in (``de``, ``ja``), or ``None`` where it does not show.

        The text may be of any length: parts from all over it are looked at. The event loop goes on meanwhile.
        """
        ...
