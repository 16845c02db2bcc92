"""What fits into a model's window."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.core.errors import QuestionTooLongError
from backend.ports.chat_model import Passage, Prompt, Turn
from backend.rag.joining import strongest
from backend.rag.prompts import ask, instructions, recalled
from backend.rag.tokens import estimate_tokens

TURN_TOKENS = 8
"""What a chat template adds around one turn (role, separators), and once more to open the reply."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A prompt that fits, and what was left out, passages counted by their chunks. Tokens are estimates on the high side."""

    prompt: Prompt
    used_tokens: int
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
    strict: bool,
    searched: bool,
) -> Packed:
    """Build the prompt under ``window`` tokens, of which ``reserve`` stay free for the answer.

    ``history`` is oldest first and ``passages`` best first; both are kept in order, and passages keep their markers. What does not
    fit gives way in this order: the oldest exchanges (a question with its answers) down to the last one, the weakest passages down
    to the best, the last exchange, the best passage. Nothing is ever cut inside a message or a passage, but one that was joined
    gives way chunk by chunk.

    Raises:
        QuestionTooLongError: Not even the instructions and the question fit.
    """
    budget = window - reserve
    exchanges = _exchanges([recalled(turn) for turn in history])
    # Costs of the newest 0, 1, 2 ... exchanges.
    costs = [0]
    for exchange in reversed(exchanges):
        costs.append(costs[-1] + sum(_cost(turn.content) for turn in exchange))
    frames: dict[int, tuple[Turn, Turn, int]] = {}
    chunks = sum(len(passage.chunks) for passage in passages)

    for exchange_count, passage_count in _retreat(len(exchanges), chunks):
        if passage_count not in frames:
            frames[passage_count] = _frame(question, strongest(passages, passage_count), strict=strict, searched=searched)
        system, user, frame_cost = frames[passage_count]
        used = frame_cost + costs[exchange_count]
        if used <= budget:
            kept = [turn for exchange in exchanges[len(exchanges) - exchange_count :] for turn in exchange]
            return Packed(
                prompt=Prompt((system, *kept, user), question, strongest(passages, passage_count)),
                used_tokens=used,
                window=window,
                dropped_messages=len(history) - len(kept),
                dropped_passages=chunks - passage_count,
            )
    raise QuestionTooLongError


def _retreat(exchanges: int, passages: int) -> Iterator[tuple[int, int]]:
    """Yield how many exchanges and passages to try, from everything to nothing."""
    last, best = min(exchanges, 1), min(passages, 1)
    yield from ((count, passages) for count in range(exchanges, last, -1))
    yield from ((last, count) for count in range(passages, best - 1, -1))
    yield 0, best
    yield 0, 0


def _frame(question: str, passages: Sequence[Passage], *, strict: bool, searched: bool) -> tuple[Turn, Turn, int]:
    """Return the instructions, the user's turn and what they cost together, the opening of the reply included."""
    system = Turn("system", instructions(strict=strict, searched=searched, with_passages=bool(passages)))
    user = Turn("user", ask(question, passages))
    return system, user, _cost(system.content) + _cost(user.content) + TURN_TOKENS


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
