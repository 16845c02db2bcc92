"""Language models, as the rest of the system sees them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation as a model reads it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk, or several that touch, as a prompt carries it, under the marker ``[marker]`` that answers cite.

    ``start`` and ``end`` count code points in the stored text of the document's ``version``; ``score`` is the fused relevance,
    0 to 1. One that was joined has the chunks as its ``parts``, in the order of the text; ``page`` and ``heading`` are the first
    one's, ``score`` and ``chunk_id`` the best one's.
    """

    marker: int
    chunk_id: UUID
    document_id: UUID
    title: str
    page: int | None
    heading: str | None
    start: int
    end: int
    text: str
    score: float
    version: int = 1
    parts: tuple["Passage", ...] = ()

    @property
    def chunks(self) -> tuple["Passage", ...]:
        """The chunks that it consists of, in the order of the text: its parts, or itself."""
        return self.parts or (self,)

    def at(self, position: int) -> "Passage":
        """Return the chunk that a position of the stored text is in: it knows the page and the heading there."""
        return next((part for part in reversed(self.parts) if part.start <= position), self.chunks[0])


NOTHING_FOUND = "I found nothing about this in the documents."


@dataclass(frozen=True, slots=True)
class Infill:
    """A gap to fill, as in code: what stands before it and behind it."""

    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a model gets to read.

    ``turns`` is complete: instructions, delimited passages, history and question, ready for a chat API. ``question`` (as it was
    searched) and ``passages`` (best first) say the same in parts, for answerers that are not language models; ``otherwise`` is what
    those say if the passages do not answer, and ``None`` where only a model that writes is of use. An ``infill`` takes the place of
    the turns, for models that are able to ``insert``.
    """

    turns: tuple[Turn, ...]
    question: str
    passages: tuple[Passage, ...] = ()
    otherwise: str | None = None
    infill: Infill | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """How to generate. ``None`` leaves a value to the provider; ``window`` is the context length in tokens to run with.

    The reply ends before the first of the ``stop`` texts. ``think`` false asks a model that reasons not to, where it can be asked.
    With ``shape`` the reply is JSON: of any shape if it is empty, else as this JSON schema says.
    """

    model: str
    window: int
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    think: bool | None = None
    shape: Mapping[str, object] | None = None


FinishReason = Literal["stop", "length", "content_filter"]
"""Only ``stop`` is a whole reply; with ``content_filter`` the provider kept the rest back."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the model ended, and what it counted. Counts are ``None`` where the provider does not tell."""

    reason: FinishReason
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a reply. ``thinking`` is reasoning that is not part of the answer; ``finish`` is set on the last piece only.

    ``model`` is set on the first piece where another model writes than the one that was asked.
    """

    text: str
    thinking: str = ""
    finish: Finish | None = None
    model: str | None = None


Capability = Literal["chat", "insert", "thinking", "tools", "vision", "embedding"]
"""What a model can do: ``chat`` is following instructions, which quoting is not; ``insert`` is filling a gap."""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What is known of a model. ``context_window`` counts tokens, ``size`` bytes; ``None`` where the provider does not tell.

    ``parameters`` and ``quantization`` are in the provider's words, such as ``1.2B`` and ``Q8_0``.
    """

    name: str
    context_window: int
    size: int | None = None
    capabilities: frozenset[Capability] = frozenset({"chat"})
    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None


class ChatModel(Protocol):
    """A provider of language models."""

    provider: str
    """The provider's name, for instance ``ollama``."""

    default_model: str
    """The model that answers when nobody names one."""

    def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """Yield the reply piece by piece, in order; the last piece, and no other, carries ``finish``.

        Closing the generator frees the model at once.

        Raises:
            ModelUnavailableError: Before the first piece: refused, timed out, overloaded, or failed.
            ModelMissingError: Before the first piece: the provider does not have ``options.model``.
            ModelRefusedError: Before the first piece: the provider works, and refused this request.
            PromptTooLongError: Before the first piece: the provider refused the prompt's length. It carries what the provider told.
            AnswerCutError: After the first piece: the stream failed or ended before the provider said that it was done.
        """
        ...

    async def details(self, model: str) -> ModelDetails:
        """Describe a model.

        Raises:
            ModelUnavailableError: The provider did not answer.
            ModelMissingError: The provider does not have it.
        """
        ...

    def writes(self, model: str) -> bool:
        """Return whether a model follows instructions, so that it can be asked to rewrite a question, or for a title."""
        ...

    async def models(self) -> Sequence[ModelDetails]:
        """Describe all models that the provider offers, in the order of their names.

        Raises:
            ModelUnavailableError: The provider did not answer.
        """
        ...

    async def check(self) -> None:
        """Return if the provider answers and has the default model.

        Raises:
            ModelUnavailableError: It does not answer.
            ModelMissingError: It does not have the default model.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; afterwards the object is not used again."""
        ...
