"""Whether another web server answers."""

from typing import Protocol


class Probe(Protocol):
    """Asks servers that this system does not speak to otherwise."""

    async def check(self, url: str) -> None:
        """Return if a server answers at an address of http or https, with any status below 500.

        Where it sends us is not followed, and what it says is not read.

        Raises:
            ServiceUnavailableError: It did not answer in time, or said that it cannot serve.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; afterwards the object is not used again."""
        ...
