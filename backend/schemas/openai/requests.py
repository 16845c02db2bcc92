"""Chat completions as they are asked for in OpenAI's shape."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from backend.ports.chat_model import Generation, Turn
from backend.schemas.base import DocumentIds, Storable
from backend.schemas.openai.forms import LIST, TEXT, LongText, ModelId, OpenAIRequest, TextOrList
from backend.services.gateway.service import Completion

_ROLES: dict[str, Literal["system", "user", "assistant"]] = {"system": "system", "developer": "system", "assistant": "assistant"}
"""What a tool says is read as if the user said it: no model here calls one."""
_DEEPEST = 64


def _text_only(value: object) -> object:
    """Say what is wrong with a part before its fields are looked at: they are another kind's."""
    if isinstance(value, dict) and value.get("type") not in ("text", "refusal"):
        raise PydanticCustomError("content_unsupported", "Only parts of the type text are read here: no images, sounds or files.")
    return value


def _shallow(value: object) -> object:
    """Refuse what is nested deeper than the encoders on the way to a model go."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return value
    raise PydanticCustomError("schema_too_deep", "The schema is nested too deep.")


class ContentPart(OpenAIRequest):
    """A part of a message: text."""

    type: Literal["text", "refusal"]
    text: LongText | None = None


Part = Annotated[ContentPart, BeforeValidator(_text_only)]
Parts = Annotated[list[Part], Field(min_length=1, max_length=1000)]


class MessageIn(OpenAIRequest):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[Annotated[LongText, TEXT] | Annotated[Parts, LIST], TextOrList] | None = None

    def turn(self) -> Turn:
        """Return it as a model reads it: the texts of its parts in one."""
        said = self.content or ""
        text = said if isinstance(said, str) else "".join(part.text or "" for part in said)
        return Turn(_ROLES.get(self.role, "user"), text)


class StreamOptions(OpenAIRequest):
    """What a stream is to tell besides."""

    include_usage: bool | None = None


class JsonShape(OpenAIRequest):
    """The shape of the reply."""

    # The wire's name is one that Pydantic's models have themselves.
    definition: Annotated[dict[str, Any], BeforeValidator(_shallow)] | None = Field(None, alias="schema")


class ResponseFormat(OpenAIRequest):
    """Whether the reply is text or JSON."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonShape | None = None

    def shape(self) -> dict[str, Any] | None:
        """Return the JSON schema of the reply, an empty one for any JSON; ``None`` for text."""
        if self.type == "text":
            return None
        wanted = self.json_schema.definition if self.json_schema is not None else None
        return wanted if wanted is not None and self.type == "json_schema" else {}


StopText = Annotated[str, Field(min_length=1, max_length=1000), Storable]
StopTexts = Annotated[list[StopText], Field(max_length=4)]
MostTokens = Annotated[int, Field(ge=1, le=1_073_741_824)]


class CompletionIn(OpenAIRequest):
    """A conversation to go on with."""

    model: ModelId = Field(description="`docent` or `docent/` and a model: from the caller's documents; any other: without them.")
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=2048)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    max_tokens: MostTokens | None = None
    max_completion_tokens: MostTokens | None = Field(None, description="As `max_tokens`, which it goes before.")
    stop: Annotated[Annotated[StopText, TEXT] | Annotated[StopTexts, LIST], TextOrList] | None = None
    seed: Annotated[int, Field(ge=1 - 2**53, le=2**53 - 1)] | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Annotated[str, Field(max_length=50), Storable] | None = Field(
        None, description="`none` or `minimal`: a model that reasons is asked not to."
    )
    document_ids: DocumentIds | None = Field(None, description="Docent's own: answers from these documents only.")
    strict: bool | None = Field(None, description="Docent's own: answers from the documents or not at all.")

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with its usage."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def completion(self) -> Completion:
        """Return what the service takes."""
        return Completion(
            model=self.model,
            turns=tuple(message.turn() for message in self.messages),
            generation=self._generation(),
            document_ids=None if self.document_ids is None else tuple(self.document_ids),
            strict=self.strict,
        )

    def _generation(self) -> Generation:
        """Return how to generate; model and window are found out later."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Generation(
            model="",
            window=0,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            stop=stop,
            think=False if self.reasoning_effort in ("none", "minimal") else None,
            shape=None if self.response_format is None else self.response_format.shape(),
        )
