"""The scaled topology as its users meet it: several API processes and workers behind one address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from deploy.scaled import Scaled, scaled
from tests.support.leaks import assert_nothing_leaked
from tests.support.product import Reachable

EACH_IN_TURN = httpx2.Limits(max_keepalive_connections=0)
"""Each request opens a connection of its own, and so goes to the process whose turn it is."""


@dataclass(slots=True)
class ScaledProduct(Reachable):
    """The topology behind its balancer. The requests of one client go to the API processes in turn."""

    topology: Scaled

    @property
    def lines(self) -> list[str]:
        """What all of its processes have said."""
        return [line for member in self.topology.members for line in member.lines]

    def process(self, number: int) -> Reachable:
        """One API process alone, past the balancer."""
        address = self.topology.apis[number].url
        assert address is not None
        return Reachable(address, self.environment)


@asynccontextmanager
async def running_scaled(folder: Path, **settings: object) -> AsyncIterator[ScaledProduct]:
    """Run the topology as ``running_product`` runs one process, and with the same settings where it is told none."""
    plain = {
        "environment": "development",
        "ollama_url": "http://127.0.0.1:9",
        "log_level": "warning",
        "limits_enabled": False,
        "chat_titles": "off",
    }
    async with scaled(folder, **(plain | settings)) as topology:  # type: ignore[arg-type] # settings of the product, by name
        product = ScaledProduct(topology.url, topology.environment, topology, limits=EACH_IN_TURN)
        yield product
    assert_nothing_leaked(product.lines, topology.environment, product.confided)
