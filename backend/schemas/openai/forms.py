"""What requests in OpenAI's shape have in common."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from backend.schemas.base import Storable

FORM: Final = "form:"
"""Begins the names of the forms that a value may have; they stand in the places of errors, where nobody else needs them."""
TEXT: Final = Tag(f"{FORM}text")
LIST: Final = Tag(f"{FORM}list")

LongText = Annotated[str, Field(max_length=1_000_000), Storable]
ModelId = Annotated[str, Field(min_length=1, max_length=200), Storable]


class OpenAIRequest(BaseModel):
    """A body, or a part of one. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"additionalProperties": True})


def _form(value: object) -> str:
    return LIST.tag if isinstance(value, list | tuple) else TEXT.tag


TextOrList = Discriminator(_form)
"""Goes behind a choice of a text and a list, so that what is wrong is told of the form that was sent."""
