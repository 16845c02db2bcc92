"""What may be wrong with questions for an evaluation. Operators see this, on the command line."""

from backend.core.errors.dependencies import ConfigurationError


class QuestionsRefusedError(ConfigurationError):
    """A line is no question, or names a place that is not there. The message says which line."""

    code = "questions_refused"
    message = "These questions cannot be evaluated."
