"""Chunks of a completion as they are sent."""

from itertools import groupby
from operator import itemgetter
from time import time

import orjson

from backend.api.completions.saying import Ending, Said
from backend.api.encoding import in_one_line
from backend.api.errors import problem_of
from backend.api.openai_errors import body_there, status_there
from backend.core.errors import DocentError
from backend.core.ids import new_id
from backend.schemas.openai.replies import (
    ChoiceOut,
    CompletionMessageOut,
    CompletionOut,
    CompletionUsageOut,
    GroundingOut,
    annotations_of,
)

DONE = b"data: [DONE]\n\n"


class CompletionEncoder:
    """Encodes one completion, in chunks or whole.

    What is the same in every chunk is encoded once: a token costs the encoding of its own text.
    """

    def __init__(self, *, include_usage: bool = False) -> None:
        self._id = f"chatcmpl-{new_id().hex}"
        self._created = int(time())
        self._include_usage = include_usage
        self._head = b""
        self._tail = b',"logprobs":null,"finish_reason":null}]' + (b',"usage":null' if include_usage else b"") + b"}\n\n"

    def said(self, said: list[Said], model: str) -> bytes:
        """Return what was said as chunks; texts that have piled up become one. ``model`` counts the first time."""
        begun = self._begun(model)
        return begun + b"".join(
            b'%b{"%b":%b}%b' % (self._head, field.encode(), _text("".join(text for _, text in texts)), self._tail)
            for field, texts in groupby(said, itemgetter(0))
        )

    def end(self, ending: Ending) -> bytes:
        """Return the last chunks: the reason of the end with the sources, the usage if it is wanted, and the terminator."""
        delta: dict[str, object] = {}
        more: dict[str, object] = {"usage": None} if self._include_usage else {}
        if ending.answer is not None:
            delta["annotations"] = [found.model_dump(mode="json") for found in annotations_of(ending.answer)]
            more["docent"] = GroundingOut.of(ending.answer).model_dump(mode="json")
        last = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ending.finish_reason}
        chunks = self._begun(ending.model) + self._chunk(ending.model, choices=[last], **more)
        if self._include_usage:
            usage = CompletionUsageOut.of(ending.prompt_tokens, ending.completion_tokens)
            chunks += self._chunk(ending.model, choices=[], usage=usage.model_dump())
        return chunks + DONE

    def whole(self, ending: Ending) -> bytes:
        """Return the completion in one piece."""
        answer = ending.answer
        message = CompletionMessageOut(
            content=ending.text,
            annotations=[] if answer is None else annotations_of(answer),
            reasoning_content=ending.thinking or None,
        )
        completion = CompletionOut(
            id=self._id,
            created=self._created,
            model=ending.model,
            choices=[ChoiceOut(message=message, finish_reason=ending.finish_reason)],
            usage=CompletionUsageOut.of(ending.prompt_tokens, ending.completion_tokens),
            docent=None if answer is None else GroundingOut.of(answer),
        )
        return completion.model_dump_json().encode()

    def _begun(self, model: str) -> bytes:
        """Return the chunk that opens the message, the first time."""
        if self._head:
            return b""
        begun = in_one_line(orjson.dumps(self._frame(model)))[:-1]
        self._head = b'data: %b,"choices":[{"index":0,"delta":' % begun
        return b'%b{"role":"assistant","content":"","refusal":null}%b' % (self._head, self._tail)

    def _chunk(self, model: str, **members: object) -> bytes:
        return b"data: %b\n\n" % in_one_line(orjson.dumps({**self._frame(model), **members}))

    def _frame(self, model: str) -> dict[str, object]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": model,
            "system_fingerprint": None,
        }


def broken(error: DocentError) -> bytes:
    """Return what ends a stream that failed. No terminator follows: the clients raise what they read here."""
    problem = problem_of(error)
    status = status_there(problem.status, problem.code)
    return b"data: %b\n\n" % in_one_line(body_there(status, code=problem.code, message=problem.detail))


def _text(text: str) -> bytes:
    return in_one_line(orjson.dumps(text))
