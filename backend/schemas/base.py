"""What all requests and responses have in common."""

from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError


def storable(value: str) -> str:
    """Return the text, or refuse it with a message that does not repeat it."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("text_invalid", "The text holds a NUL or half of a surrogate pair, which cannot be stored.")
    return value


Storable = AfterValidator(storable)
"""Goes behind a ``Field`` with a pattern: a pattern that stands behind it is checked, but missing in the API's description."""

BLANKS = r"\s\x85\ufeff"
"""What takes room and shows nothing. Dialects of regular expressions disagree whether the last two are white space."""

NOT_BLANK = f"[^{BLANKS}]"
"""The pattern of a text that says something."""


def _saying(value: object, check: ValidatorFunctionWrapHandler) -> object:
    try:
        return check(value)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "string_pattern_mismatch":
            raise
    raise PydanticCustomError("text_blank", "The text holds nothing but white space.")


NotBlank = WrapValidator(_saying)
"""Goes behind a ``Field`` with the pattern ``NOT_BLANK``, which the API's description shows: people are told in words."""

Text = Annotated[str, Storable]
"""Text that PostgreSQL can store and JSON can carry."""


def _written(value: object) -> object:
    """Refuse numbers, which would be read as seconds or milliseconds since 1970, whichever seems likelier."""
    if not isinstance(value, str):
        raise PydanticCustomError("moment_invalid", "The moment has to be a text with a time zone, such as 2030-01-31T12:00:00Z.")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A moment as RFC 3339 writes it."""

DocumentIds = Annotated[list[UUID], Field(min_length=1, max_length=100)]
Offset = Annotated[int, Field(ge=0, le=1_073_741_824)]
"""A position in a text, of which PostgreSQL stores a gigabyte at most."""


class RequestModel(BaseModel):
    """A request body. Unknown fields are refused: a misspelt option that is ignored is worse than an error."""

    model_config = ConfigDict(extra="forbid")


class ResponseModel(BaseModel):
    """A response body, built from the dataclasses of the services."""

    model_config = ConfigDict(from_attributes=True)
