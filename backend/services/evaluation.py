"""How good the search is: questions whose answers are known, asked of an owner's documents."""

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.core.errors import QuestionsRefusedError
from backend.core.values.chat import Leg
from backend.core.values.document import Document
from backend.core.values.evaluation import Evaluation, KnownQuestion, Miss, Observed, PlacedHit, Ranking
from backend.db.repositories.texts import LONGEST_TEXT
from backend.db.uow import UnitOfWork
from backend.rag.evaluation import DEPTH, figures
from backend.services.retrieval import Retriever

DOCUMENTS_AT_ONCE = 100
MISSED_FROM = 5
RIGHT = "the place of the answer"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an answer stands: a document, and within it a page, or one of some spans of the text, of a page or of any."""

    document_id: UUID
    page: int | None
    spans: tuple[tuple[int, int], ...]

    def named(self, hit: PlacedHit) -> Hashable:
        """Return what a hit counts as: hits of one document, or of one page, are one, where that is what was asked for."""
        if self.spans:
            inside = hit.document_id == self.document_id and any(hit.start < end and hit.end > start for start, end in self.spans)
            return RIGHT if inside and self.page in (None, hit.page) else hit.chunk.chunk_id
        if self.page is not None:
            return RIGHT if (hit.document_id, hit.page) == (self.document_id, self.page) else (hit.document_id, hit.page)
        return RIGHT if hit.document_id == self.document_id else hit.document_id


class EvaluationService:
    """Asks what the answers are known of. Searches only: no language model is called, and nothing is stored."""

    def __init__(self, uow: UnitOfWork, retriever: Retriever) -> None:
        self._uow = uow
        self._retriever = retriever

    async def owner(self, username: str) -> UUID:
        """Return the id of the account with this name.

        Raises:
            QuestionsRefusedError: There is none.
        """
        async with self._uow.system() as tx:
            user = await tx.users.by_login(username)
        if user is None:
            raise QuestionsRefusedError(f"There is no account {username}.")
        return user.id

    async def observe(self, owner_id: UUID, question: str) -> Observed:
        """Search as for an answer, and return everything that was found, also what is under the thresholds."""
        ranked = await self._retriever.rank(owner_id, question)
        async with self._uow.of(owner_id) as tx:
            found = await tx.chunks.found(owner_id, [hit.chunk_id for hit in ranked.hits])
        hits = tuple(
            PlacedHit(hit, chunk.document_id, chunk.page, chunk.start, chunk.end)
            for hit in ranked.hits
            if (chunk := found.get(hit.chunk_id)) is not None
        )
        return Observed(hits, ranked.degraded, ranked.embedder, ranked.dense_weight, ranked.thresholds)

    async def evaluate(self, owner_id: UUID, questions: Sequence[KnownQuestion]) -> Evaluation:
        """Ask all questions, one after the other.

        Raises:
            QuestionsRefusedError: There are none, or one names a place that the owner does not have; nothing was asked.
            DatabaseUnavailableError: PostgreSQL does not answer. Where the embedder does not, the result says so.
        """
        if not questions:
            raise QuestionsRefusedError("There are no questions in this file.")
        places = await self._places(owner_id, questions)
        tally = _Tally()
        for known in questions:
            seen = await self.observe(owner_id, known.question)
            tally.add(known, places.get(known.line), seen)
        return tally.evaluation(seen)

    async def _places(self, owner_id: UUID, questions: Sequence[KnownQuestion]) -> Mapping[int, _Place]:
        documents = await self._documents(owner_id)
        places = {}
        for known in questions:
            if known.answerable:
                document = _named(documents, known)
                places[known.line] = _Place(document.id, known.page, await self._spans(document, known))
        return places

    async def _documents(self, owner_id: UUID) -> list[Document]:
        documents: list[Document] = []
        after = None
        while True:
            async with self._uow.of(owner_id) as tx:
                page = await tx.documents.page(owner_id, limit=DOCUMENTS_AT_ONCE, after=after)
            documents += page.items
            if page.next_cursor is None:
                return documents
            after = page.next_cursor

    async def _spans(self, document: Document, known: KnownQuestion) -> tuple[tuple[int, int], ...]:
        """Return where the text of an answer stands in its document, whatever whitespace there is between its words."""
        if known.text is None:
            return ()
        async with self._uow.of(document.owner_id) as tx:
            version = document.live_version or 0
            stored = await tx.texts.slice(document.owner_id, document.id, version, start=0, end=LONGEST_TEXT)
        pattern = r"\s+".join(re.escape(word) for word in known.text.split())
        text = stored[0] if stored else ""
        found = tuple(match.span() for match in re.finditer(pattern, text, re.IGNORECASE)) if pattern else ()
        if not found:
            raise QuestionsRefusedError(f"Line {known.line}: this text is not in {document.title}.")
        return found


def _named(documents: Sequence[Document], known: KnownQuestion) -> Document:
    wanted = known.document_id or known.document
    found = [one for one in documents if wanted in ((one.id,) if known.document_id else (one.title, one.filename))]
    if not found:
        raise QuestionsRefusedError(f"Line {known.line}: there is no document {wanted}.")
    if len(found) > 1:
        raise QuestionsRefusedError(f"Line {known.line}: {len(found)} documents are called {wanted}. Name one by its document_id.")
    if found[0].live_version is None:
        raise QuestionsRefusedError(f"Line {known.line}: the document {wanted} is not ready to be searched: {found[0].status}.")
    return found[0]


class _Tally:
    """Keeps of each question what the figures need, and not all that was found."""

    def __init__(self) -> None:
        self._rankings: dict[str, list[list[Hashable]]] = {leg: [] for leg in ("dense", "lexical", "fused")}
        self._judged: Counter[tuple[bool, bool]] = Counter()
        self._degraded: Counter[Leg] = Counter()
        self._missed: list[Miss] = []

    def add(self, known: KnownQuestion, place: _Place | None, seen: Observed) -> None:
        """Count what was found for a question; one without a place is unanswerable."""
        self._judged[place is not None, seen.refused] += 1
        self._degraded.update(seen.degraded)
        if place is None:
            return
        for leg, hits in seen.by_leg().items():
            ranking = list(dict.fromkeys(place.named(hit) for hit in hits))
            self._rankings[leg].append(ranking[:DEPTH])
            if leg == "fused" and RIGHT not in ranking[:MISSED_FROM]:
                rank = ranking.index(RIGHT) + 1 if RIGHT in ranking else None
                self._missed.append(Miss(known.line, known.question, rank))

    def evaluation(self, last: Observed) -> Evaluation:
        """Return the figures; ``last`` tells what answered."""
        counted = self._judged
        return Evaluation(
            answerable=counted[True, True] + counted[True, False],
            unanswerable=counted[False, True] + counted[False, False],
            legs={leg: _ranking(rankings) for leg, rankings in self._rankings.items()},
            wrongly_refused=_share(counted[True, True], counted[True, False]),
            rightly_refused=_share(counted[False, True], counted[False, False]),
            degraded=dict(self._degraded),
            missed=tuple(self._missed),
            embedder=last.embedder,
            dense_weight=last.dense_weight,
            thresholds=last.thresholds,
        )


def _ranking(rankings: Sequence[Sequence[Hashable]]) -> Ranking:
    grades: Mapping[Hashable, float] = {RIGHT: 1.0}
    found = figures((ranking, grades) for ranking in rankings)
    return Ranking(found.recall_1, found.recall_5, found.recall_10, found.ndcg_10, found.mrr_10)


def _share(those: int, others: int) -> float | None:
    return those / (those + others) if those + others else None
