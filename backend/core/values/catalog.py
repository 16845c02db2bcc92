"""Models that there are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """A model under its id. ``context_window`` counts tokens, ``size`` bytes; ``None`` where the provider does not tell.

    ``default`` is the one that answers whoever asked for the list, where they name none.
    """

    id: str
    provider: str
    context_window: int
    size: int | None
    capabilities: frozenset[str]
    family: str | None
    parameters: str | None
    quantization: str | None
    default: bool


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models that a tier may use, and the providers that did not answer, so that theirs are missing."""

    models: tuple[CatalogModel, ...]
    unavailable: tuple[str, ...]
