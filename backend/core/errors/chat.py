"""Conversations."""

from backend.core.errors.kinds import ConflictError, InvalidError, NotFoundError


class SessionNotFoundError(NotFoundError):
    """No chat session of this owner has that id."""

    code = "session_not_found"
    message = "There is no such chat session."


class SessionBusyError(ConflictError):
    """A question is being answered in this session."""

    code = "session_busy"
    message = "This session is still answering another question."


class MessageNotFoundError(NotFoundError):
    """No message of this session has that id."""

    code = "message_not_found"
    message = "There is no such message."


class AnswerNotNewestError(ConflictError):
    """Only the newest answer of a session can be given anew: what was said later rests on the others."""

    code = "answer_not_newest"
    message = "Only the newest answer of a conversation can be given anew. Branch off from this one instead."


class NotAnAnswerError(InvalidError):
    """What can be done to answers only was wanted of a question."""

    code = "message_not_an_answer"
    message = "This message is a question. Only answers can be given anew or rated."


class QuestionTooLongError(InvalidError):
    """The question alone does not fit the model's window."""

    code = "question_too_long"
    message = "The question is too long for the model's context window."


class ModelUnknownError(InvalidError):
    """The request named a model that the provider does not have."""

    code = "model_unknown"
    message = "The language model that you asked for is not installed."
