"""What a tool is, and what it is called with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from backend.api.progress import Watches
from backend.core.errors import ScopeMissingError
from backend.core.values.user import Caller, Scope
from backend.schemas.base import RequestModel, ResponseModel
from backend.services.registry import Services

CALL = "docent.mcp"
"""Where a request's call lies in its scope, for the SDK hands nothing else through."""

A = TypeVar("A", bound=RequestModel)

Tell = Callable[[float, str], Awaitable[None]]
"""Tells the client how far a call has got: a number that grows, and a sentence."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and what the process has to answer with. ``tell`` is there if the client asked to be told of progress."""

    caller: Caller
    services: Services
    watches: Watches
    max_upload_bytes: int
    tell: Tell | None = None

    def allow(self, scope: Scope) -> None:
        """Let a key do what it was made for, and a person who signed in everything that is theirs.

        Raises:
            ScopeMissingError: The key lacks the scope.
        """
        if not may(self.caller, scope):
            raise ScopeMissingError


def may(caller: Caller, scope: Scope) -> bool:
    """Return whether a credential has a scope."""
    return caller.key_id is None or scope in caller.scopes


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """Something that agents can call. Wants a ``scope``; ``adds`` says that it changes something, by adding to it."""

    name: str
    title: str
    description: str
    scope: Scope
    arguments: type[A]
    result: type[ResponseModel]
    run: Callable[[Call, A], Awaitable[ResponseModel]]
    adds: bool = False
    whole_reach: bool = False
    """A key that reaches some documents only cannot use it."""

    def open_to(self, caller: Caller) -> bool:
        """Return whether a credential may call it."""
        return may(caller, self.scope) and not (self.whole_reach and caller.document_ids is not None)

    async def __call__(self, call: Call, arguments: Mapping[str, Any]) -> ResponseModel:
        """Run it.

        Raises:
            ValidationError: The arguments are not what it takes (pydantic's exception, unchanged).
            ScopeMissingError: The credential may not call it.
            DocentError: It failed.
        """
        if not self.open_to(call.caller):
            raise ScopeMissingError
        return await self.run(call, self.arguments.model_validate(arguments))

    def schemas(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the JSON schemas of its arguments and of its result."""
        return self.arguments.model_json_schema(), self.result.model_json_schema(mode="serialization")


AnyTool = Tool[Any]
