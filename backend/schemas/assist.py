"""Assistants on the wire."""

from math import isfinite
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from backend.core.values.assist import CodeWanted, Filled, HowToWrite, SqlFound, SqlWanted, TextWanted
from backend.core.values.sql import Dialect, SqlTask
from backend.schemas.base import NOT_BLANK, NotBlank, RequestModel, ResponseModel, Storable, Text, storable
from backend.services.generating.reply import Generated, ReplyStatus

_LONGEST = 400_000
_DEEPEST = 32

Said = Annotated[str, Field(min_length=1, max_length=_LONGEST, pattern=NOT_BLANK), NotBlank, Storable]
Code = Annotated[str, Field(max_length=_LONGEST), Storable]
Named = Annotated[str, Field(min_length=1, max_length=200, pattern=NOT_BLANK), NotBlank, Storable]
Stops = Annotated[list[Annotated[str, Field(min_length=1, max_length=200), Storable]], Field(max_length=8)]


def _shape(value: dict[str, object]) -> dict[str, object]:
    """Return a JSON schema that can be sent on as it is."""
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                below += [*each, *each.values()]
            elif isinstance(each, list):
                below += each
            elif isinstance(each, str):
                storable(each)
            elif isinstance(each, float) and not isfinite(each):
                raise PydanticCustomError("format_invalid", "The schema holds a number that is none.")
        if not below:
            return value
        level = below
    raise PydanticCustomError("format_too_deep", f"The schema is nested more than {_DEEPEST} levels deep.")


Shape = Annotated[dict[str, object], AfterValidator(_shape)]


class WritingIn(RequestModel):
    """How something is to be written. What is left out is left to the model or the server."""

    model: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = None
    think: bool | None = Field(None, description="Whether a model that reasons is to do so, where it can be told.")

    def how(self) -> HowToWrite:
        """Return it as the service takes it."""
        return HowToWrite(self.model, self.temperature, self.max_tokens, think=self.think)


class StoppableIn(WritingIn):
    """The same, with where to end, and with the choice of a stream."""

    stop: Stops = Field(default=[], description="The reply ends before the first of these texts.")
    stream: bool = Field(False, description="Answers as server-sent events: delta or thinking..., then done or error.")

    def how(self) -> HowToWrite:
        """See ``WritingIn.how``."""
        return HowToWrite(self.model, self.temperature, self.max_tokens, stop=tuple(self.stop), think=self.think)


class GenerateIn(StoppableIn):
    """A prompt."""

    prompt: Said
    context: Said | None = Field(None, description="Text that the prompt is about; the model is told that it is no instruction.")
    system: Said | None = None
    format: Literal["json"] | Shape | None = Field(None, description="`json`, or a JSON schema that the reply has to follow.")

    def wanted(self) -> TextWanted:
        """Return what the service takes."""
        how = self.how()
        shape = {} if self.format == "json" else self.format
        how = HowToWrite(how.model, how.temperature, how.max_tokens, how.stop, how.think, shape)
        return TextWanted(self.prompt, self.context, self.system, how)


class SqlAssistIn(WritingIn):
    """A task about SQL."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True, serialize_by_alias=True)

    task: SqlTask = "generate"
    question: Said | None = Field(None, description="What the SQL is for. To `generate`, it is needed.")
    sql: Said | None = Field(None, description="The SQL to `explain`, `optimize` or `fix`.")
    table_schema: Said | None = Field(None, alias="schema", description="The tables, as `CREATE TABLE` or in words.")
    dialect: Dialect | None = Field(None, description="Without it, the SQL is read by rules that many dialects share.")

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.task == "generate" and self.question is None:
            raise PydanticCustomError("question_missing", "To generate SQL, say in `question` what it is for.")
        if self.task != "generate" and self.sql is None:
            raise PydanticCustomError("sql_missing", "Send the SQL to work on as `sql`.")
        return self

    def wanted(self) -> SqlWanted:
        """Return what the service takes."""
        return SqlWanted(self.task, self.question, self.sql, self.table_schema, self.dialect, self.how())


class CompleteIn(StoppableIn):
    """A gap in code."""

    prefix: Code = Field(description="What stands before the gap.")
    suffix: Code = Field("", description="What stands behind it.")
    language: Named | None = None
    filename: Named | None = None

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if not (self.prefix.strip() or self.suffix.strip()):
            raise PydanticCustomError("code_missing", "Send the code before the gap as `prefix`, the code behind it as `suffix`.")
        return self

    def wanted(self) -> CodeWanted:
        """Return what the service takes."""
        return CodeWanted(self.prefix, self.suffix, self.language, self.filename, self.how())


class WrittenOut(ResponseModel):
    """How a reply ended. Tokens are counted by the provider, or estimated where it does not tell."""

    model: str = Field(description="The model that wrote it.")
    status: ReplyStatus
    done_reason: str | None = Field(description="`stop`, or `length` where the reply reached its limit and is incomplete.")
    eval_count: int = Field(description="Tokens of the reply.")
    prompt_eval_count: int = Field(description="Tokens of the prompt.")
    total_duration_ms: float
    thinking: str = Field(description="The model's reasoning, which is no part of the reply.")

    @classmethod
    def fields_of(cls, generated: Generated) -> dict[str, object]:
        """Return these fields of a reply."""
        return {
            "model": generated.model,
            "status": generated.status,
            "done_reason": generated.finish.reason if generated.finish else None,
            "eval_count": generated.completion_tokens,
            "prompt_eval_count": generated.prompt_tokens,
            "total_duration_ms": generated.total_ms,
            "thinking": generated.thinking,
        }


class GenerateOut(WrittenOut):
    """A text that was written."""

    response: str

    @classmethod
    def of(cls, generated: Generated) -> "GenerateOut":
        """Build it from the service's reply."""
        return cls.model_validate({**cls.fields_of(generated), "response": generated.text})


class SqlFaultOut(ResponseModel):
    """Why SQL does not parse, or why that cannot be told. Lines and columns count from 1."""

    message: str
    line: int | None
    column: int | None


class SqlAssistOut(WrittenOut):
    """SQL, and what there is to say about it."""

    sql: str | None = Field(description="The SQL alone, without fences or prose; null where the reply has none.")
    explanation: str
    valid: bool | None = Field(description="Whether it parses in its dialect; null where that cannot be told.")
    error: SqlFaultOut | None = Field(description="Why it does not, or why that cannot be told.")
    statements: int | None
    dialect: Dialect | None

    @classmethod
    def of(cls, found: SqlFound, generated: Generated, dialect: Dialect | None) -> "SqlAssistOut":
        """Build it from what the service found."""
        told = {name: getattr(found, name) for name in ("sql", "explanation", "thinking", "valid", "error", "statements")}
        return cls.model_validate({**cls.fields_of(generated), **told, "dialect": dialect})


class CompleteOut(WrittenOut):
    """The code for a gap."""

    completion: str
    filled: Filled = Field(description="`insert`: by a model that was trained to fill gaps; `chat`: by one that was asked to.")

    @classmethod
    def of(cls, completion: str, filled: Filled, generated: Generated) -> "CompleteOut":
        """Build it from the service's completion."""
        return cls.model_validate({**cls.fields_of(generated), "completion": completion, "filled": filled})
