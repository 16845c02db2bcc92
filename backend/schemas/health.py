"""The state of the system on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.core.values.status import Check
from backend.schemas.base import ResponseModel


class LinksOut(ResponseModel):
    """Where to go on from here, as paths of this server."""

    openapi: str | None = Field(description="The description of the API, unless it is switched off.")
    health: str = "/health"
    mcp: str = Field("/mcp", description="The tools for agents, in the Model Context Protocol.")
    openai: str = Field("/v1", description="The base URL for clients of OpenAI's API.")


class WelcomeOut(ResponseModel):
    """What answers at this address."""

    service: str
    version: str
    docs: str | None = Field(description="The documentation to read, unless it is switched off.")
    registration_open: bool = Field(description="Whether anybody may open an account.")
    links: LinksOut


class HealthOut(ResponseModel):
    """The process is alive."""

    status: Literal["healthy"] = "healthy"
    timestamp: datetime
    service: str
    version: str
    environment: str


class ReadyOut(ResponseModel):
    """Whether requests can be served; ``degraded`` says that they can, with something missing."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, Literal["up", "down"]]

    @classmethod
    def of(cls, checks: Sequence[Check]) -> "ReadyOut":
        """Build it from the service's answer."""
        down = [check for check in checks if check.status == "down"]
        status: Literal["ready", "degraded", "unavailable"] = "degraded" if down else "ready"
        if any(check.vital for check in down):
            status = "unavailable"
        return cls(status=status, checks={check.name: check.status for check in checks})


class ServiceStatusOut(ResponseModel):
    """One service: something that the system depends on, or one of the operator's own."""

    name: str
    url: str = Field(description="Without credentials; empty for what runs inside, and in production.")
    status: Literal["up", "down"]
    response_time_ms: float
    detail: str | None
