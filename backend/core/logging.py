"""Structured logs: one shape for our own lines and those of the libraries."""

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

OWN = "backend"
"""The loggers that LOG_LEVEL is about. Libraries warn, at most: what they tell of their work may quote headers and texts."""
SHY = {
    "python_multipart": logging.ERROR,
    # A collector that is away is told about with every batch.
    "opentelemetry": logging.ERROR,
    # It quotes the arguments of what it calls again: questions, and what was said to them.
    "stamina": logging.ERROR,
}

_MEDDLED = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "httpx",
    "httpcore",
    "procrastinate",
    "alembic",
    "chromadb",
    "asyncio",
    *SHY,
)
"""Libraries that give their loggers levels or handlers of their own, some of them while they are imported."""

_CREDENTIAL = re.compile(
    r"(?P<kept>\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}"
    r"|(?P<scheme>\b[a-z][a-z0-9+.-]{1,30}://[^\s/:@\"']{0,100}:)[^\s/@\"']{1,200}(?=@)"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+"
    r"|\b(?P<prefix>[a-z]{2}_)[0-9a-f]{32}_[\w-]{16,}"
    r"|\b(?P<vendor>sk-|hf_|gsk_)[\w-]{16,}",
    re.IGNORECASE,
)


_PROCESSORS: list[Processor] = []
"""Always the same list: a logger keeps the one that it has met first, and follows what becomes of it."""


def masked(line: str) -> str:
    """Return a line without what looks like a credential: tokens and keys, ours and providers', and passwords in addresses.

    A last net, for no line is meant to have one.
    """
    return _CREDENTIAL.sub(lambda found: f"{next((kept for kept in found.groups() if kept), '')}***", line)


def _mask(_logger: WrappedLogger, _method: str, rendered: EventDict | str) -> str:
    return masked(str(rendered))


def configure_logging(level: Literal["debug", "info", "warning", "error"], style: Literal["auto", "console", "json"]) -> None:
    """Send everything to standard error: readable on a terminal, JSON lines elsewhere. Safe to call again."""
    on_terminal = sys.stderr.isatty() if style == "auto" else style == "console"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = (
        # The default would print the local variables of every frame, passwords and tokens among them.
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if on_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    _PROCESSORS[:] = [structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, _mask]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    own = logging.getLogger(OWN)
    own.setLevel(level.upper())
    root.setLevel(max(logging.WARNING, own.level))
    for name in _MEDDLED:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(max(SHY.get(name, logging.WARNING), root.level))
