"""Disagreements between PostgreSQL, the vector index and the blob store."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args
from uuid import UUID

DefectKind = Literal[
    "vector_damaged",
    "embeddings_missing",
    "collection_broken",
    "collection_missing",
    "collection_orphan",
    "vectors_missing",
    "vectors_extra",
    "vectors_foreign",
    "vectors_wrong",
    "text_missing",
    "chunks_incomplete",
    "chunk_text_mismatch",
    "chunks_dead",
    "file_missing",
    "file_damaged",
    "file_orphan",
    "document_stuck",
    "answer_stuck",
    "account_left",
    "lexicon_wrong",
]

KINDS: tuple[DefectKind, ...] = get_args(DefectKind)
"""In the order in which they are mended: what others are made of comes first."""

MOST_NAMED = 10_000
"""How many single things a defect names at most: what has more of them is mended as a whole."""

SENTENCES: dict[DefectKind, str] = {
    "vector_damaged": "Stored vectors that are too short, too long, or not numbers: {n}.",
    "embeddings_missing": "Passages that can be searched and were not embedded: {n}.",
    "collection_broken": "The collection cannot be read, or was made with other settings.",
    "collection_missing": "The collection is gone, or holds nothing of its {n} vectors.",
    "collection_orphan": "No generation uses this collection.",
    "vectors_missing": "Vectors that the index has confirmed and lacks: {n}.",
    "vectors_extra": "Vectors in the index that nothing is stored for: {n}.",
    "vectors_foreign": "Vectors in the index that are somebody else's: {n}.",
    "vectors_wrong": "Vectors in the index that are not those that are stored: {n}.",
    "text_missing": "The document can be searched, and its text is gone.",
    "chunks_incomplete": "The document has other passages than the {n} that it was split into.",
    "chunk_text_mismatch": "Passages that are not what the text says at their place: {n}.",
    "chunks_dead": "Passages of versions that nothing needs: {n}.",
    "file_missing": "The stored file is gone.",
    "file_damaged": "The stored file is not the one that was uploaded.",
    "file_orphan": "No document names this file.",
    "document_stuck": "The document waits for a job that does not exist.",
    "answer_stuck": "The answer has been streaming for over an hour.",
    "account_left": "The account was deleted, and no job removes what is left of it.",
    "lexicon_wrong": "Counts of words that differ from a recount: {n}.",
}

DefectKey: TypeAlias = tuple[DefectKind, UUID | None, str]


@dataclass(frozen=True, slots=True)
class Defect:
    """One disagreement.

    ``subject`` is the document, collection, message, account or key of a file that it is about. ``ids`` are the single vectors or
    passages, where there are such, at most ``MOST_NAMED``.
    """

    kind: DefectKind
    owner_id: UUID | None
    subject: str
    count: int = 1
    ids: frozenset[UUID | str] = field(default=frozenset(), repr=False)
    repairable: bool = True

    @property
    def key(self) -> DefectKey:
        """What tells it from other defects."""
        return self.kind, self.owner_id, self.subject

    @property
    def all_named(self) -> bool:
        """Whether ``ids`` leave nothing out."""
        return len(self.ids) < MOST_NAMED

    @property
    def sentence(self) -> str:
        """What is wrong, for people."""
        more = "" if self.all_named else " or more"
        return SENTENCES[self.kind].format(n=f"{self.count}{more}")


@dataclass(slots=True)
class Compared:
    """How much was looked at."""

    owners: int = 0
    documents: int = 0
    chunks: int = 0
    vectors: int = 0
    files: int = 0
