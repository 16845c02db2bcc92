"""The state of the system, at the root of the address."""

from fastapi import APIRouter, Request, Response

from backend.api.deps import Maintenance
from backend.core.clock import now
from backend.schemas.health import HealthOut, ReadyOut, ServiceStatusOut, WelcomeOut

router = APIRouter(tags=["health"])

SERVICE = "docent"


@router.get("/")
async def welcome(request: Request) -> WelcomeOut:
    """Tell what answers here."""
    return WelcomeOut(service=SERVICE, version=request.app.version, docs=request.app.docs_url)


@router.get("/health")
async def read_health(request: Request) -> HealthOut:
    """Tell that the process is alive. It asks nobody else."""
    return HealthOut(timestamp=now(), service=SERVICE, version=request.app.version, environment=request.app.state.environment)


@router.get("/ready", responses={503: {"model": ReadyOut, "description": "PostgreSQL or the blob store is down."}})
async def read_readiness(maintenance: Maintenance, response: Response) -> ReadyOut:
    """Tell whether requests can be served. With a part missing that is not vital it says `degraded`, and 200."""
    ready = ReadyOut.of(await maintenance.checks())
    response.status_code = {"unavailable": 503}.get(ready.status, 200)
    return ready


@router.get("/services/status")
async def list_services(maintenance: Maintenance) -> list[ServiceStatusOut]:
    """Tell how each service that the system depends on is doing."""
    return [ServiceStatusOut.model_validate(check) for check in await maintenance.checks()]
