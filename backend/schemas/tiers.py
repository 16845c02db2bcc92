"""Tiers as administrators see them, on the wire."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from backend.core.values.limits import Tier
from backend.core.values.user import Tier as TierName
from backend.schemas.base import NOT_BLANK, NotBlank, RequestModel, ResponseModel, Storable


def _number(value: object) -> object:
    """Refuse what would be read as a number and is none: ``false`` is no wish to take everything away."""
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


Number = BeforeValidator(_number)
Amount = Annotated[int, Field(ge=0, le=1_000_000_000), Number]
Bytes = Annotated[int, Field(ge=0, le=1 << 50), Number]
ModelPattern = Annotated[str, Field(min_length=1, max_length=200, pattern=NOT_BLANK), NotBlank, Storable]


class TierPatch(RequestModel):
    """What a tier shall allow; what is left out stays."""

    # They may be left out, but not taken away. No default shows in the API's description, and none is ever read.
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000, default_factory=int), Number]
    concurrent_streams: Annotated[Amount, Field(default_factory=int)]
    documents: Annotated[Amount, Field(default_factory=int)]
    stored_bytes: Annotated[Bytes, Field(default_factory=int)]
    tokens_per_day: Annotated[Bytes, Field(default_factory=int)]
    models: Annotated[list[ModelPattern], Field(min_length=1, max_length=100)] | None = Field(
        None, description="Ids of the models that may be named, in which `*` stands for any text; null: all."
    )

    @property
    def changes(self) -> dict[str, int | Sequence[str] | None]:
        """What was sent."""
        return self.model_dump(exclude_unset=True)


class TierOut(ResponseModel):
    """A tier and what it allows."""

    name: TierName
    requests_per_minute: int
    concurrent_streams: int
    documents: int
    stored_bytes: int
    tokens_per_day: int
    models: list[str] | None = Field(
        description="Ids of the models that may be named, in which `*` stands for any text; null: all."
    )

    @classmethod
    def of(cls, tier: Tier) -> "TierOut":
        """Build it from the service's answer."""
        return cls.model_validate(tier)


class TiersOut(ResponseModel):
    """All tiers, the smallest first."""

    items: list[TierOut]

    @classmethod
    def of(cls, tiers: Sequence[Tier]) -> "TiersOut":
        """Build it from the service's answer."""
        return cls(items=[TierOut.of(tier) for tier in tiers])
