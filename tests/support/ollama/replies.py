"""What the stand-in answers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = "I do not know: the documents do not say."


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of reasoning, which Ollama sends apart from the answer."""

    text: str


ReplyPiece = str | Thinking
Reply = str | Sequence[ReplyPiece]
Script = Reply | Callable[[dict[str, Any]], Reply]


def pieces_of(script: Script, request: dict[str, Any]) -> list[ReplyPiece]:
    """Return the pieces of a reply; a text is sent word by word."""
    reply = script(request) if callable(script) else script
    if isinstance(reply, str):
        return list(re.findall(r"\s*\S+\s*$|\s*\S+|\s+", reply))
    return list(reply)


def grounded_reply(request: dict[str, Any]) -> str:
    """Quote the sentence of the prompt's passages that shares most words with the question, and its marker.

    A passage begins with a line that begins with its marker, such as ``[1] Title``, or with a tag that carries it, such as
    ``<passage number="[1]">``. It ends before the next one, at a closing tag or with its message. The question is the last message,
    or what follows the passages there.
    """
    messages = [str(message.get("content", "")) for message in request["messages"]]
    asked = _words(_question(messages[-1]))
    best, best_score = UNKNOWN, 0.0
    for marker, sentence, weight in _sentences(messages):
        score = weight * len(asked & _words(sentence))
        if score > best_score:
            best, best_score = f"{sentence} [{marker}]", score
    return best


_MARKER_LINE = re.compile(r"^(?:\s*<\w[^>\[\n]*|[^\w\[\]\n]{0,8})\[(\d{1,3})\]", re.MULTILINE)
_PASSAGE_END = re.compile(r"^\s*</|^\s*question\s*:", re.MULTILINE | re.IGNORECASE)


def _question(message: str) -> str:
    markers = list(_MARKER_LINE.finditer(message))
    if markers:
        message = message[markers[-1].end() :]
        *_, message = _PASSAGE_END.split(message) if _PASSAGE_END.search(message) else message.strip().split("\n\n")
    return message


def _sentences(messages: Sequence[str]) -> list[tuple[str, str, float]]:
    """Return the sentences of all passages with their markers. Beside the marker stands a title mostly, so that weighs less."""
    found: list[tuple[str, str, float]] = []
    for message in messages:
        starts = list(_MARKER_LINE.finditer(message))
        ends = [start.start() for start in starts[1:]] + [len(message)]
        for start, end in zip(starts, ends, strict=False):
            body = _PASSAGE_END.split(message[start.end() : end], maxsplit=1)[0]
            title, _, text = body.partition("\n")
            found += [(start[1], sentence, 1.0) for sentence in _split(text)]
            if "<" not in start[0]:
                found += [(start[1], sentence, 0.5 if text.strip() else 1.0) for sentence in _split(title)]
    return found


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?。])\s+|\n+", text) if re.search(r"\w", part)]


def _words(text: str) -> set[str]:
    # The first six letters stand for the word, so that "refunded" meets "refunds".
    return {word[:6] for word in re.findall(r"\w+", text.casefold()) if len(word) > 3 or word.isdigit() or not word.isascii()}
