"""What the status of an installation is made of."""

from backend.adapters.probes.http import HttpProbe
from backend.bootstrap import chroma
from backend.bootstrap.providers import provider_url
from backend.bootstrap.servers import Addresses, without_credentials
from backend.core.config import Settings, plain_url
from backend.core.errors import ConfigurationError
from backend.core.named_urls import named_urls
from backend.db.uow import UnitOfWork
from backend.ports.blob_store import BlobStore
from backend.ports.limiter import Limiter
from backend.ports.vector_index import VectorIndex
from backend.services.providers import Providers
from backend.services.status import StatusService, Try


def status_service(
    settings: Settings, at: Addresses, *, uow: UnitOfWork, blobs: BlobStore, index: VectorIndex, models: Providers, limiter: Limiter
) -> StatusService:
    """Return the service that knows everything which this installation speaks to, and the services that STATUS_SERVICES names.

    Production shows nobody an address or the name of a model: strangers may ask too.

    Raises:
        ConfigurationError: A name in STATUS_SERVICES is one of Docent's own.
    """

    def shown(url: str | None) -> str:
        return "" if settings.production or not url else without_credentials(url)

    checks: dict[str, Try] = {
        "blobs": (shown(settings.blob_url), blobs.check),
        **_chroma(index, at.chroma_url, hidden=settings.production),
        **{model.provider: (shown(provider_url(settings, model.provider)), model.check) for model in models.all},
    }
    if settings.redis_url is not None:
        checks["redis"] = (shown(settings.redis_url.get_secret_value()), limiter.check)
    own = named_urls("STATUS_SERVICES", settings.status_services.get_secret_value()) if settings.status_services else {}
    if taken := sorted(own.keys() & {"postgresql", *checks}):
        raise ConfigurationError(f"STATUS_SERVICES: {taken[0]} is listed already. Choose another name.")
    return StatusService(
        uow,
        HttpProbe(),
        postgresql=shown(plain_url(at.app_url)),
        checks=checks,
        own={name: (shown(url), url) for name, url in own.items()},
        guarded=settings.production,
    )


def _chroma(index: VectorIndex, urls: str, *, hidden: bool) -> dict[str, Try]:
    """Return each server by its name: `chroma`, or numbered in the order of CHROMA_URL."""
    found = chroma.servers(index, urls)
    names = ["chroma"] if len(found) == 1 else [f"chroma-{number}" for number in range(1, len(found) + 1)]
    return {name: ("" if hidden else url, check) for name, (url, check) in zip(names, found, strict=True)}
