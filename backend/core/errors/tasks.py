"""Questions that are answered in the background."""

from backend.core.errors.kinds import DocentError, NotFoundError


class TaskNotFoundError(NotFoundError):
    """No task of this owner has that id."""

    code = "task_not_found"
    message = "There is no such task."


class AnswerCrashedError(DocentError):
    """Three attempts at an answer ended with their process, or with a defect."""

    code = "answer_crashed"
    message = "Answering this question failed three times, so it was given up. Ask it again, perhaps in another way."
