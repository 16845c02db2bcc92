"""Which models there are."""

import asyncio
from time import monotonic

from backend.core.errors import TierNotFoundError
from backend.core.values.catalog import Catalog, CatalogModel
from backend.core.values.limits import Tier
from backend.core.values.user import Tier as TierName
from backend.db.uow import UnitOfWork
from backend.services.providers import Listing, Providers
from backend.services.quotas import default_model

KEPT_SECONDS = 10.0


class CatalogService:
    """Lists the models of all providers. What they said is believed for some seconds, silence included."""

    def __init__(self, uow: UnitOfWork, providers: Providers, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self._uow = uow
        self._providers = providers
        self._kept_seconds = kept_seconds
        self._asking = asyncio.Lock()
        self._known: tuple[float, Listing] | None = None

    async def catalog(self, tier: TierName) -> Catalog:
        """Return what accounts of a tier may use. A provider that is away costs at most its deadline, and is named."""
        async with self._uow.system() as tx:
            allowing = await tx.tiers.get(tier)
        if allowing is None:
            raise TierNotFoundError
        listing = await self._listing()
        return Catalog(self._allowed(listing, allowing), listing.silent)

    async def models(self, tier: TierName) -> tuple[CatalogModel, ...]:
        """Return the models of ``catalog``, those for embeddings included: see ``capabilities``."""
        return (await self.catalog(tier)).models

    def _allowed(self, listing: Listing, tier: Tier) -> tuple[CatalogModel, ...]:
        default = default_model(tier, self._providers)
        default_ids = frozenset[str]() if default is None else self._providers.spellings(default)
        return tuple(
            CatalogModel(
                id=details.name,
                provider=self._providers.found(details.name).provider.provider,
                context_window=details.context_window,
                size=details.size,
                capabilities=details.capabilities,
                family=details.family,
                parameters=details.parameters,
                quantization=details.quantization,
                default=details.name in default_ids and details.capabilities != {"embedding"},
            )
            for details in listing.models
            if tier.allows(self._providers.spellings(details.name))
        )

    async def _listing(self) -> Listing:
        """Ask once for all who want to know at the same time."""
        async with self._asking:
            if self._known is None or monotonic() - self._known[0] >= self._kept_seconds:
                listing = await self._providers.listing()
                self._known = (monotonic(), listing)
            return self._known[1]
