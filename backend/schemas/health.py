"""The state of the system on the wire."""

from datetime import datetime
from typing import Literal

from backend.core.values.status import Check
from backend.schemas.base import ResponseModel


class WelcomeOut(ResponseModel):
    """What answers at this address."""

    service: str
    version: str
    docs: str | None


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
    def of(cls, checks: list[Check]) -> "ReadyOut":
        """Build it from the service's answer."""
        down = [check for check in checks if check.status == "down"]
        status: Literal["ready", "degraded", "unavailable"] = "degraded" if down else "ready"
        if any(check.vital for check in down):
            status = "unavailable"
        return cls(status=status, checks={check.name: check.status for check in checks})


class ServiceStatusOut(ResponseModel):
    """One thing that the system depends on."""

    name: str
    url: str
    status: Literal["up", "down"]
    response_time_ms: float
    detail: str | None
