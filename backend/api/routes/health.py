"""The state of the system, at the root of the address."""

from typing import Any

from fastapi import APIRouter, Request, Response

from backend.api.deps import Status
from backend.api.front_door import SERVICE, FrontDoor
from backend.core.clock import now
from backend.schemas.health import HealthOut, ReadyOut, ServiceStatusOut, WelcomeOut

router = APIRouter(tags=["health"])

FOR_BROWSERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "What answers here; a page where `Accept` names HTML and not JSON.", "content": {"text/html": {}}},
    307: {"description": "Where `Accept` names HTML: the user interface is there."},
}


# Uptime probes ask with HEAD; the server leaves the body out.
@router.head("/", include_in_schema=False)
@router.get("/", response_model=WelcomeOut, responses=FOR_BROWSERS)
async def welcome(request: Request) -> Response:
    """Tell what answers here. Browsers get the user interface."""
    door: FrontDoor = request.app.state.front_door
    return await door.answer(request)


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def read_health(request: Request) -> HealthOut:
    """Tell that the process is alive. It asks nobody else."""
    return HealthOut(timestamp=now(), service=SERVICE, version=request.app.version, environment=request.app.state.environment)


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses={503: {"model": ReadyOut, "description": "PostgreSQL or the blob store is down."}})
async def read_readiness(status: Status, response: Response) -> ReadyOut:
    """Tell whether requests can be served. With a part missing that is not vital it says `degraded`, and 200."""
    ready = ReadyOut.of(await status.needed())
    response.status_code = {"unavailable": 503}.get(ready.status, 200)
    return ready


@router.get("/services/status")
async def list_services(status: Status) -> list[ServiceStatusOut]:
    """Tell how each service that the system depends on is doing, and the operator's own. An outcome is told for three seconds."""
    return [ServiceStatusOut.model_validate(check) for check in await status.services()]
