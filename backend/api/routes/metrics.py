"""Measurements, for Prometheus."""

from hmac import compare_digest

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import SecretStr

from backend.api.deps import Metrics
from backend.core.errors import TokenInvalidError

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def read_metrics(request: Request, metrics: Metrics) -> Response:
    """Return what this process measures, in Prometheus' text format. Whether a token is needed, METRICS_TOKEN says."""
    token: SecretStr | None = request.app.state.metrics_token
    sent = request.headers.get("authorization", "")
    if token is not None and not compare_digest(sent.encode(), f"Bearer {token.get_secret_value()}".encode()):
        raise TokenInvalidError
    rendered = await metrics.render()
    if rendered is None:
        raise HTTPException(404)
    text, media_type = rendered
    return Response(text, media_type=media_type, headers={"Cache-Control": "no-store"})
