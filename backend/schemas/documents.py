"""Documents on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from backend.core.values.document import Document, DocumentStage, DocumentStatus, Excerpt
from backend.core.values.page import Page
from backend.schemas.base import NOT_BLANK, NotBlank, Offset, RequestModel, ResponseModel, Storable
from backend.schemas.page import PageOut, cursor_of
from backend.schemas.problem import Problem


class ProgressOut(ResponseModel):
    """Passages indexed, of how many. The total is 0 until the text has been read."""

    done: int
    total: int


class CoverageOut(ResponseModel):
    """How many words and signs of the text lie in passages that the embedding model took: all, unless it refused some.

    What it refused is found by its words only.
    """

    tokens_extracted: int
    tokens_embedded: int


class DocumentErrorOut(ResponseModel):
    """Why a document failed."""

    code: str
    message: str


class DocumentOut(ResponseModel):
    """An uploaded file and the state of its indexing. It can be asked about once its status is ``ready``.

    While a new version is being indexed, and where that fails, the version before it answers: ``live_version`` says which.
    """

    id: UUID
    title: str
    filename: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    version: int = Field(description="Counts the files that were uploaded under this id.")
    live_version: int | None = Field(description="The version that answers; null until the first is ready.")
    status: DocumentStatus
    stage: DocumentStage | None = Field(description="What is done with it, while its status is `processing`.")
    progress: ProgressOut
    waiting_for: str | None = Field(description="What is down, while indexing waits for it.")
    error: DocumentErrorOut | None = Field(description="Only when the status is `failed`.")
    language: str | None = Field(
        description="Of most of its text, as an ISO 639 code (`de`, `ja`); null until it is indexed, and where it does not show."
    )
    notes: list[str] = Field(description="What of the file could not be read, in sentences; mostly nothing.")
    pages: int | None
    chunks: int
    coverage: CoverageOut | None = Field(description="Null until a version is ready.")
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None

    @classmethod
    def of(cls, document: Document) -> "DocumentOut":
        """Build it from the service's answer."""
        error = None
        if document.error_code is not None:
            error = DocumentErrorOut(code=document.error_code, message=document.error_message or "")
        return cls(
            id=document.id,
            title=document.title,
            filename=document.filename,
            media_type=document.media_type,
            size=document.size,
            sha256=document.sha256,
            version=document.version,
            live_version=document.live_version,
            status=document.status,
            stage=document.stage,
            progress=ProgressOut(done=document.progress_done, total=document.progress_total),
            waiting_for=document.waiting_for,
            error=error,
            language=document.language,
            notes=list(document.notes),
            pages=document.pages,
            chunks=document.chunks,
            coverage=_coverage(document),
            created_at=document.created_at,
            updated_at=document.updated_at,
            ready_at=document.ready_at,
        )


def _coverage(document: Document) -> CoverageOut | None:
    if document.tokens_extracted is None or document.tokens_embedded is None:
        return None
    return CoverageOut(tokens_extracted=document.tokens_extracted, tokens_embedded=document.tokens_embedded)


class RejectedOut(ResponseModel):
    """A file that was not accepted, and the problem that it would have been if it had come alone."""

    filename: str | None = Field(description="Null where it has no name that can be used.")
    problem: Problem


class UploadsOut(ResponseModel):
    """What became of several files: each is in one of the lists, in the order in which they came."""

    accepted: list[DocumentOut]
    rejected: list[RejectedOut]


DocumentOrUploads = Annotated[
    Annotated[DocumentOut, Tag("DocumentOut")] | Annotated[UploadsOut, Tag("UploadsOut")],
    # Said by a rule, for then the description says that it is exactly one of the two.
    Discriminator(lambda answer: type(answer).__name__),
]
"""The answer to one file, or to several."""


class DocumentPage(PageOut[DocumentOut]):
    """Documents, newest first."""

    @classmethod
    def of(cls, page: Page[Document]) -> "DocumentPage":
        """Build it from the service's answer."""
        return cls(items=[DocumentOut.of(item) for item in page.items], next_cursor=cursor_of(page))


class DocumentPatch(RequestModel):
    """What may be changed about a document."""

    title: Annotated[str, Field(min_length=1, max_length=300, pattern=NOT_BLANK), NotBlank, Storable]


class SpanIn(RequestModel):
    """A part of a text, in code points from 0, ``end`` not included. It may reach beyond the text."""

    start: Offset = 0
    end: Offset = 100_000
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Of an earlier file, as a source names it; without it, the version that answers."
    )
    context: Annotated[int, Field(ge=0, le=10_000)] = Field(
        0, description="How many code points before and after it are wanted, to show it in its place."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise PydanticCustomError("span_invalid", "The start has to come before the end.")
        return self


class TextOut(ResponseModel):
    """A part of a document's text. Offsets count Unicode code points from 0, ``end`` not included."""

    text: str
    before: str = Field(description="What stands before `text`, as much as `context` asked for.")
    after: str = Field(description="What stands after it.")
    version: int
    start: int
    end: int
    length: int = Field(description="Of the whole text.")

    @classmethod
    def of(cls, excerpt: Excerpt) -> "TextOut":
        """Build it from the service's answer."""
        return cls.model_validate(excerpt)
