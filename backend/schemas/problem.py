"""Errors on the wire (RFC 9457)."""

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """What is wrong with one field. The rejected value is never repeated."""

    loc: list[str | int]
    type: str
    msg: str


class Problem(BaseModel):
    """An error. ``code`` is stable and meant for programs, ``detail`` is a sentence for people. Some have members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = Field(
        None, description="Only where the request did not validate.", exclude_if=lambda errors: errors is None
    )
