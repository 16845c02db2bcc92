"""Turns that are over, as their messages tell of them."""

from uuid import UUID

from backend.core.errors import DocentError
from backend.core.values.chat import Answer, Message, Source
from backend.services.answering.events import Delta, Done, Event, Failed, Found, Started


def answer_of(message: Message) -> Answer | None:
    """Return a message as the answer that it is; ``None`` for a question, or one whose process died before it could tell all."""
    if message.answer_status is None or message.model is None or message.usage is None or message.timings is None:
        return None
    return Answer(
        text=message.content,
        session_id=message.session_id,
        message_id=message.id,
        status=message.status,
        answer_status=message.answer_status,
        model=message.model,
        sources=message.sources,
        usage=message.usage,
        timings=message.timings,
        finish_reason=message.finish_reason,
        error_code=message.error_code,
        degraded=message.degraded,
        pending_documents=message.pending_documents,
        searched_for=message.searched_for,
        invented_markers=message.invented_markers,
    )


def events_of(message: Message) -> list[Event]:
    """Return the events of a turn that is over. Its text comes as one delta, and its end as it was."""
    answer = answer_of(message)
    begun = _begun(message.session_id, message.id, message.sources, message.content)
    if answer is None or answer.error_code is not None:
        return [*begun, Failed(recalled(message.error_code))]
    return [*begun, Done(answer)]


def events_again(answer: Answer) -> list[Event]:
    """Return the events of an answer that is given once more: all of them, with its text in one delta."""
    return [*_begun(answer.session_id, answer.message_id, answer.sources, answer.text), Done(answer)]


def _begun(session_id: UUID, message_id: UUID, sources: tuple[Source, ...], text: str) -> list[Event]:
    return [Started(session_id, message_id), Found(sources), *([Delta(text)] if text else [])]


def recalled(code: str | None) -> DocentError:
    """Return the error that was stored under a code, with the sentence of its kind."""
    kinds: list[type[DocentError]] = [DocentError]
    while kinds:
        kind = kinds.pop()
        if vars(kind).get("code") == code:
            return kind()
        kinds += kind.__subclasses__()
    return DocentError()
