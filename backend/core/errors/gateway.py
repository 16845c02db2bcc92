"""What OpenAI's API can ask for and this one does not have."""

from backend.core.errors.kinds import InvalidError


class QuestionMissingError(InvalidError):
    """Answers from documents are given to a question, and the messages hold none."""

    code = "question_missing"
    message = "The messages hold no question: the last one with the role user has to say something."


class ReplyShapeUnsupportedError(InvalidError):
    """Answers from documents carry markers of their sources, which JSON has no place for."""

    code = "response_format_unsupported"
    message = "Answers from documents are text with the markers of their sources. For JSON, name a model without docent before it."


class DimensionsUnsupportedError(InvalidError):
    """Vectors of another length than the embedding model's were asked for."""

    code = "dimensions_unsupported"
    message = "The vectors of this embedding model have one length, and cannot be made shorter."


class InputTooLongError(InvalidError):
    """The embedding model refused one of the texts; none was cut."""

    code = "input_too_long"
    message = "The embedding model refused one of the texts, most likely because it is too long for it. Split it."
