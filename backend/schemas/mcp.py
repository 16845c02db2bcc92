"""The tools of the Model Context Protocol on the wire: what they take, and what they give."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from backend.core.values.chat import Answer, AnswerStatus, Leg, MessageStatus
from backend.core.values.document import Document, DocumentStatus, Excerpt
from backend.core.values.page import Page
from backend.core.values.search import Findings, SearchHit
from backend.schemas.base import NOT_BLANK, DocumentIds, NotBlank, Offset, RequestModel, ResponseModel, Storable, Text
from backend.schemas.chat import PendingDocumentOut, SourceOut
from backend.schemas.documents import DocumentErrorOut
from backend.schemas.page import PageOut, cursor_of

LONGEST_PASSAGE = 20_000
"""Code points that one call reads at most: more would fill the window of the model that asked."""
LONGEST_WAIT_SECONDS = 60

Said = Annotated[str, Field(min_length=1, max_length=32_000, pattern=NOT_BLANK), NotBlank, Storable]
Chosen = Annotated[DocumentIds | None, Field(description="Ids of documents to look into; without it all of them.")]


class SearchDocumentsIn(RequestModel):
    """What to search for."""

    query: Said = Field(description="A question, or words. It is searched by meaning and by words.")
    document_ids: Chosen = None
    limit: Annotated[int, Field(ge=1, le=50)] = Field(8, description="How many passages are wanted at most.")


class PassageOut(ResponseModel):
    """A passage that was found: ``text`` is the document's text at [start:end], code points."""

    document_id: UUID
    title: str
    version: int = Field(description="The version of the document that `start` and `end` count in.")
    page: int | None
    heading: str | None
    start: int
    end: int
    text: str
    score: float = Field(description="0 to 1, relative to what else was found.")
    relevant: bool = Field(description="Whether it has to do with the query by itself, and not only more than other passages.")

    @classmethod
    def of(cls, hit: SearchHit) -> "PassageOut":
        """Build it from a hit of the search."""
        named = ("document_id", "title", "version", "page", "heading", "start", "end", "score", "relevant")
        return cls(text=hit.quote, **{name: getattr(hit, name) for name in named})


class SearchDocumentsOut(ResponseModel):
    """What was found, best first."""

    passages: list[PassageOut]
    pending_document_ids: list[UUID] = Field(description="Documents that are still being indexed, and were not searched.")
    degraded: list[Leg] = Field(description="Parts of the search that were down.")

    @classmethod
    def of(cls, findings: Findings) -> "SearchDocumentsOut":
        """Build it from the service's answer."""
        return cls(
            passages=[PassageOut.of(hit) for hit in findings.hits],
            pending_document_ids=list(findings.pending_document_ids),
            degraded=list(findings.degraded),
        )


class ReadPassageIn(RequestModel):
    """A part of a document's text: from an offset on, or from the beginning of a page."""

    document_id: UUID
    start: Offset | None = Field(None, description="In code points from 0; without it the beginning, of the page if one is given.")
    end: Offset | None = Field(
        None, description="Not included. Without it 4,000 code points from the start, or the end of the page that was asked for."
    )
    page: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(None, description="Reads this page, from 1, instead of offsets.")
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Of an earlier file, as a passage or a source names it; without it, the version that answers."
    )

    @model_validator(mode="after")
    def _either_place(self) -> Self:
        if self.page is not None and (self.start is not None or self.end is not None):
            raise PydanticCustomError("place_ambiguous", "Give a page, or a start and an end, but not both.")
        if self.end is not None and self.end < (self.start or 0):
            raise PydanticCustomError("span_invalid", "The start has to come before the end.")
        return self


class ReadPassageOut(ResponseModel):
    """A part of a document's text. Offsets count Unicode code points from 0, ``end`` not included."""

    document_id: UUID
    version: int
    page: int | None = Field(description="The page that the part begins on; null where a document has no pages.")
    start: int
    end: int = Field(description="Where to read on from, as long as it is less than `length`.")
    length: int = Field(description="Of the whole text.")
    text: str

    @classmethod
    def of(cls, document_id: UUID, excerpt: Excerpt, page: int | None) -> "ReadPassageOut":
        """Build it from the service's answer."""
        return cls(
            document_id=document_id,
            version=excerpt.version,
            page=page,
            start=excerpt.start,
            end=excerpt.end,
            length=excerpt.length,
            text=excerpt.text,
        )


class ListDocumentsIn(RequestModel):
    """Which part of the list is wanted."""

    cursor: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        None, description="`next_cursor` of the part before."
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class FileOut(ResponseModel):
    """A document and the state of its indexing. It can be searched and asked about once its status is ``ready``."""

    id: UUID
    title: str
    filename: str
    media_type: str
    size: int = Field(description="Bytes.")
    status: DocumentStatus
    pages: int | None
    error: DocumentErrorOut | None = Field(description="Only when the status is `failed`.")
    created_at: datetime

    @classmethod
    def of(cls, document: Document) -> "FileOut":
        """Build it from the service's answer."""
        named = ("id", "title", "filename", "media_type", "size", "status", "pages", "created_at")
        code, message = document.error_code, document.error_message
        error = None if code is None else DocumentErrorOut(code=code, message=message or "")
        return cls(error=error, **{name: getattr(document, name) for name in named})


class ListDocumentsOut(PageOut[FileOut]):
    """Documents, newest first."""

    @classmethod
    def of(cls, page: Page[Document]) -> "ListDocumentsOut":
        """Build it from the service's answer."""
        return cls(items=[FileOut.of(item) for item in page.items], next_cursor=cursor_of(page))


class UploadDocumentIn(RequestModel):
    """A file: its name, and what is in it."""

    filename: Annotated[Text, Field(min_length=1, max_length=1000)] = Field(
        description="With its extension, which says the format: `notes.md`, `report.pdf`."
    )
    text: Text | None = Field(None, description="The content of a file that is text.")
    content_base64: Text | None = Field(None, description="The bytes of any other file, in base64.")
    title: Annotated[str, Field(min_length=1, max_length=300, pattern=NOT_BLANK), NotBlank, Storable] | None = None

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.text is None) == (self.content_base64 is None):
            raise PydanticCustomError("content_ambiguous", "Give `text` or `content_base64`: one of them.")
        return self


class DocumentStatusIn(RequestModel):
    """Which document, and how long to wait for it."""

    document_id: UUID
    wait_seconds: Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = Field(
        0, description="Waits so long at most for the document to be ready or failed, before it answers."
    )


class AskIn(RequestModel):
    """A question about the documents."""

    question: Said
    document_ids: Chosen = None
    session_id: UUID | None = Field(None, description="Goes on with the conversation of an earlier answer.")
    strict: bool | None = Field(None, description="Answers from the documents alone.")
    model: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(None, description="The language model that answers.")


class AskOut(ResponseModel):
    """An answer with its sources."""

    answer: str
    answer_status: AnswerStatus = Field(description="How far the answer rests on the documents.")
    status: MessageStatus
    session_id: UUID
    message_id: UUID
    model: str
    sources: list[SourceOut]
    pending_documents: list[PendingDocumentOut] = Field(description="Documents that were still being indexed.")
    degraded: list[Leg] = Field(description="Parts of the search that were down.")

    @classmethod
    def of(cls, answer: Answer) -> "AskOut":
        """Build it from the service's answer."""
        named = ("answer_status", "status", "session_id", "message_id", "model", "degraded")
        return cls(
            answer=answer.text,
            sources=[SourceOut.model_validate(source) for source in answer.sources],
            pending_documents=[PendingDocumentOut.model_validate(document) for document in answer.pending_documents],
            **{name: getattr(answer, name) for name in named},
        )
