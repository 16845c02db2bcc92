"""Lines of a file with questions whose answers are known."""

from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from backend.core.errors import QuestionsRefusedError
from backend.core.values.evaluation import KnownQuestion


class QuestionLine(BaseModel):
    """One line: a question, and either where its answer stands or that there is none."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, Field(min_length=1)]
    answerable: bool = True
    document_id: UUID | None = None
    document: Annotated[str, Field(min_length=1)] | None = None
    page: Annotated[int, Field(ge=1)] | None = None
    text: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = (self.document_id is not None) + (self.document is not None)
        if self.answerable and named != 1:
            message = "say where the answer stands, by `document` (a title or a filename) or `document_id`, or `answerable: false`"
            raise ValueError(message)
        if not self.answerable and (named or self.page is not None or self.text is not None):
            message = "a question that is not answerable has no document, page or text"
            raise ValueError(message)
        return self


def read_questions(file: Path) -> list[KnownQuestion]:
    """Read a file with one JSON object on each line; empty lines are passed over.

    Raises:
        QuestionsRefusedError: With the number of the first line that is none.
    """
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").split("\n"), start=1):
        if line.strip():
            try:
                found.append(KnownQuestion(line=number, **QuestionLine.model_validate_json(line).model_dump()))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(map(str, first["loc"]))
                raise QuestionsRefusedError(f"Line {number}: {where}{': ' if where else ''}{first['msg']}") from error
    return found
