"""From the markers of an answer to quotes that can be checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.ports.chat_model import Passage
from backend.rag.citations.claims import Claim, claims_of
from backend.rag.citations.support import narrowed, read, speak_against


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage as a source of an answer.

    ``quote`` is the document's stored text at ``[start:end]``, code points: for a cited passage the sentences that support the
    claim best, for the others the whole passage. ``supported`` is false only of a cited passage that surely is about something else
    than everything that it is cited for.
    """

    marker: int
    passage: Passage
    start: int
    end: int
    quote: str
    cited: bool
    supported: bool = True


def resolve(answer: str, passages: Sequence[Passage]) -> list[Citation]:
    """Return one citation for every passage, in the order given; ``cited`` where the answer bears its marker.

    What is claimed under a marker says ``claims_of``. The quote is the smallest run of sentences that supports it, six sentences or
    700 characters at most; of a passage that is cited for several claims it supports all of them where their support stands close
    together, else the most. If no sentence shares a term with a claim (another language, say), the quote is the whole passage.
    Pure, and linear but for the sentences' lengths.
    """
    claims = claims_of(answer)
    return [_citation(passage, claims.get(passage.marker)) for passage in passages]


def _citation(passage: Passage, claims: Sequence[Claim] | None) -> Citation:
    span, supported = None, True
    if claims:
        found = read(passage.text)
        span = narrowed(found, claims)
        supported = not speak_against(claims, passage, found)
    first, last = span or (0, len(passage.text))
    start, end = passage.start + first, passage.start + last
    return Citation(passage.marker, passage, start, end, passage.text[first:last], claims is not None, supported)
