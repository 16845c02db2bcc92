"""The ASGI application: ``backend.main:app``."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from backend.api.description import add_description
from backend.api.errors import add_error_handlers
from backend.api.front_door import FrontDoor
from backend.api.frontend import Frontend
from backend.api.guard import BodyLimits, RequestGuard
from backend.api.limits import RateLimitHeaders
from backend.api.mcp.door import Door
from backend.api.middleware import RequestContext
from backend.api.progress import Watches
from backend.api.router import UPLOAD_PATHS, router
from backend.bootstrap.application import open_application
from backend.bootstrap.metrics import Member, measuring
from backend.bootstrap.tracing import traced
from backend.core.config import Settings
from backend.core.logging import configure_logging

EXPOSED = ("X-Request-ID", "Idempotent-Replayed", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Mcp-Session-Id")
DESCRIPTION = """Upload documents, ask questions, and read answers with sources that can be checked.

Register, press **Authorize** with the username and the password, upload a file, wait until its status is `ready`, and ask."""


def create_app(settings: Settings | None = None, *, beside: Member | None = None) -> FastAPI:
    """Build the application. The servers and services are opened when it starts, and closed when it ends.

    As a ``Member`` it uses the servers that another process runs and has brought up to date, and leaves the jobs to that.
    """
    settings = settings or Settings()
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            settings.check_frontend()
            stack.enter_context(traced(settings))
            exporter = stack.enter_context(measuring(settings, beside=beside))
            opened = open_application(settings, attach=beside is not None, migrates=beside is None, exporter=exporter)
            application = await stack.enter_async_context(opened)
            app.state.services = application.services
            app.state.application = application
            if beside is not None:
                await stack.enter_async_context(application.services.metrics.sharing())
            elif settings.worker:
                await stack.enter_async_context(application.worker.running(alone=application.exclusive))
            await stack.enter_async_context(application.listener.running())
            # Running answers are stored before anything that they need is closed.
            stack.push_async_callback(application.services.drain, settings.shutdown_grace_seconds)
            await stack.enter_async_context(app.state.mcp.open())
            yield

    app = FastAPI(
        title="Docent",
        version=version("docent"),
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url="/docs" if settings.docs_served else None,
        redoc_url="/redoc" if settings.docs_served else None,
        openapi_url="/openapi.json" if settings.docs_served else None,
        separate_input_output_schemas=False,
        # They would lead to the host that the request names, by the scheme that is spoken behind the proxy.
        redirect_slashes=False,
    )
    app.state.environment = settings.environment
    app.state.max_upload_bytes = settings.max_upload_bytes
    app.state.metrics_token = settings.metrics_token
    app.state.watches = Watches()
    app.state.mcp = Door(settings, version("docent"))
    app.include_router(router)
    frontend = None
    if settings.frontend_dir is not None:
        # Behind every route, so that none is ever hidden: not one that is added later, and not its 405 either.
        frontend = Frontend(settings.frontend_dir, app.router.default, policy=settings.frontend_csp)
        app.router.default = frontend
    app.state.front_door = FrontDoor(ui_url=settings.ui_url, frontend=frontend, registration_open=settings.registration_open)
    add_error_handlers(app)
    add_description(app)
    app.add_middleware(
        RequestGuard,
        limits=BodyLimits(settings.max_body_bytes, settings.body_idle_seconds, settings.body_total_seconds),
        upload_paths=UPLOAD_PATHS,
    )
    app.add_middleware(RateLimitHeaders)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            # Clients bring headers of their own (x-stainless-*, Mcp-*). Cookies are never taken from elsewhere, so none does harm.
            allow_headers=["*"],
            expose_headers=[
                "X-Request-ID",
                "Idempotent-Replayed",
                "Location",
                "Retry-After",
                "RateLimit",
                "RateLimit-Policy",
                "Mcp-Session-Id",
            ],
        )
    app.add_middleware(RequestContext)
    return app


def _operation_id(route: APIRoute) -> str:
    """The route function's name: clients that are generated from the description get readable methods."""
    return route.name


def __getattr__(name: str) -> FastAPI:
    """Build ``app`` when it is asked for: one of several processes makes another one, and would have both."""
    if name != "app":
        raise AttributeError(name)
    app = globals()["app"] = create_app()
    return app
