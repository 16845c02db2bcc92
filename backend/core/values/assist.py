"""What the assistants are asked, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from backend.core.values.sql import SqlFault, SqlTask

Filled = Literal["insert", "chat"]
"""How a gap was filled: by a model that was trained to, or by one that was asked."""


@dataclass(frozen=True, slots=True)
class HowToWrite:
    """What is left out is left to the model or the server. ``shape`` is a JSON schema, or empty for JSON of any shape."""

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    think: bool | None = None
    shape: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class TextWanted:
    """A prompt. ``context`` is text that it is about."""

    prompt: str
    context: str | None = None
    system: str | None = None
    how: HowToWrite = field(default_factory=HowToWrite)


@dataclass(frozen=True, slots=True)
class SqlWanted:
    """What to do about SQL. ``question`` says what it is for; ``schema`` is the tables' definition."""

    task: SqlTask
    question: str | None = None
    sql: str | None = None
    schema: str | None = None
    dialect: str | None = None
    how: HowToWrite = field(default_factory=HowToWrite)


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """A gap in code: between ``prefix`` and ``suffix``."""

    prefix: str
    suffix: str = ""
    language: str | None = None
    filename: str | None = None
    how: HowToWrite = field(default_factory=HowToWrite)


@dataclass(frozen=True, slots=True)
class SqlFound:
    """SQL, what was said about it, and whether it parses (``None`` where that cannot be told)."""

    sql: str | None
    explanation: str
    thinking: str
    valid: bool | None
    statements: int | None
    error: SqlFault | None
