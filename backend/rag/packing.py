"""What fits into a model's window."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from backend.core.errors import QuestionTooLongError
from backend.ports.chat_model import Passage, Prompt, Turn
from backend.rag.declining import declined
from backend.rag.joining import strongest
from backend.rag.prompts import ask, instructions, recalled
from backend.rag.situation import Situation
from backend.rag.tokens import estimate_tokens

TURN_TOKENS = 8
"""What a chat template adds around one turn (role, separators), and once more to open the reply."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A prompt that fits, and what was left out, passages counted by their chunks.

    Tokens are estimates on the high side; ``estimate`` is the one without scale.
    """

    prompt: Prompt
    used_tokens: int
    estimate: int
    window: int
    dropped_messages: int
    dropped_passages: int


def pack(
    question: str,
    history: Sequence[Turn],
    passages: Sequence[Passage],
    *,
    window: int,
    reserve: int,
    situation: Situation,
    searched_for: str | None = None,
    meaning: str | None = None,
    wishes: str = "",
    scale: float = 1.0,
) -> Packed:
    """Build the prompt under ``window`` tokens, of which ``reserve`` stay free for the answer.

    ``history`` is oldest first and ``passages`` best first; both are kept in order, and passages keep their markers. What does not
    fit gives way in this order: the oldest exchanges (a question with its answers) down to the last one, the weakest passages down
    to the best, the last exchange. Then the instructions become shorter, and all begins anew; the best passage goes last. Nothing
    is ever cut inside a message or a passage, but one that was joined gives way chunk by chunk.

    ``searched_for`` is the question as it was searched, and ``meaning`` as the model understood it, where that is not how it was
    asked. ``wishes`` are the client's, for the instructions. ``scale`` multiplies the estimates of tokens.

    Raises:
        QuestionTooLongError: Not even the instructions and the question fit.
    """
    budget = int((window - reserve) / scale)
    turns = _newest(history, budget)
    fitted = _fitted(question, turns, passages, budget, situation=situation, meaning=meaning, wishes=wishes)
    if passages and (fitted is None or not fitted[0].passages):
        in_brief = _fitted(question, turns, passages, budget, situation=situation, meaning=meaning, wishes=wishes, brief=True)
        fitted = in_brief if in_brief is not None and in_brief[0].passages else fitted
    if fitted is None:
        raise QuestionTooLongError
    prompt, estimate = fitted
    otherwise = declined(situation, left_out=bool(passages) and not prompt.passages)
    return Packed(
        prompt=replace(prompt, question=searched_for or question, otherwise=otherwise),
        used_tokens=ceil(estimate * scale),
        estimate=estimate,
        window=window,
        dropped_messages=len(history) - (len(prompt.turns) - 2),
        dropped_passages=_chunks(passages) - _chunks(prompt.passages),
    )


def _newest(history: Sequence[Turn], budget: int) -> list[Turn]:
    """Return the turns as the model reads them, from the first that no longer fits on: those before it cannot either."""
    newest: list[Turn] = []
    for turn in reversed(history):
        newest.append(recalled(turn))
        budget -= _cost(newest[-1].content)
        if budget < 0:
            break
    return newest[::-1]


def _fitted(
    question: str,
    history: Sequence[Turn],
    passages: Sequence[Passage],
    budget: int,
    *,
    situation: Situation,
    meaning: str | None,
    wishes: str,
    brief: bool = False,
) -> tuple[Prompt, int] | None:
    """Return the fullest prompt within the budget with the estimate of its tokens, or ``None`` if not even the emptiest is."""
    exchanges = _exchanges(history)
    # Costs of the newest 0, 1, 2 ... exchanges.
    costs = [0]
    for exchange in reversed(exchanges):
        costs.append(costs[-1] + sum(_cost(turn.content) for turn in exchange))
    frames: dict[int, tuple[Turn, Turn, int]] = {}

    for exchange_count, passage_count in _retreat(len(exchanges), _chunks(passages)):
        if passage_count not in frames:
            left_out = bool(passages) and not passage_count
            given = strongest(passages, passage_count)
            system = instructions(situation, with_passages=passage_count > 0, left_out=left_out, brief=brief, wishes=wishes)
            frames[passage_count] = _frame(system, ask(question, given, meaning=meaning))
        first, last, frame_cost = frames[passage_count]
        used = frame_cost + costs[exchange_count]
        if used <= budget:
            kept = [turn for exchange in exchanges[len(exchanges) - exchange_count :] for turn in exchange]
            return Prompt((first, *kept, last), question, strongest(passages, passage_count)), used
    return None


def _retreat(exchanges: int, passages: int) -> Iterator[tuple[int, int]]:
    """Yield how many exchanges and passages to try, from everything to nothing."""
    last, best = min(exchanges, 1), min(passages, 1)
    yield from ((count, passages) for count in range(exchanges, last, -1))
    yield from ((last, count) for count in range(passages, best - 1, -1))
    yield 0, best
    yield 0, 0


def _chunks(passages: Sequence[Passage]) -> int:
    return sum(len(passage.chunks) for passage in passages)


def _frame(system: str, user: str) -> tuple[Turn, Turn, int]:
    """Return the instructions, the user's turn and what they cost together, the opening of the reply included."""
    return Turn("system", system), Turn("user", user), _cost(system) + _cost(user) + TURN_TOKENS


def _cost(content: str) -> int:
    return estimate_tokens(content) + TURN_TOKENS


def _exchanges(history: Sequence[Turn]) -> list[list[Turn]]:
    """Group turns so that each group begins with a question; an answer without one is a group of its own."""
    groups: list[list[Turn]] = []
    for turn in history:
        if turn.role == "user" or not groups:
            groups.append([])
        groups[-1].append(turn)
    return groups
