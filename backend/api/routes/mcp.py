"""The door for agents (MCP)."""

from fastapi import APIRouter, Request, Response

from backend.api.deps import AllServices, Caller
from backend.api.mcp.door import OpenDoor

router = APIRouter(include_in_schema=False)


@router.post("/mcp")
@router.post("/mcp/")
async def exchange(request: Request, caller: Caller, services: AllServices, door: OpenDoor) -> Response:
    """Answer one message of the Model Context Protocol (streamable HTTP, without sessions)."""
    return await door.answer(request, caller, services)
