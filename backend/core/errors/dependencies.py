"""Models, stores and settings."""

from backend.core.errors.kinds import ConflictError, DocentError, InvalidError, NotFoundError, UnavailableError


class ModelUnavailableError(UnavailableError):
    """The language model did not accept the request: refused, timed out, overloaded or failed before the first piece.

    ``retryable`` says that it failed at once and may not fail again: it refused the connection, broke it, or is busy.
    """

    code = "model_unavailable"
    message = "The language model is not available right now."

    def __init__(self, message: str | None = None, *, retryable: bool = False, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        if retry_after_seconds is not None:
            self.retry_after_seconds = retry_after_seconds


class ModelMissingError(UnavailableError):
    """The provider answers but does not have this model."""

    code = "model_missing"
    message = "The language model is not installed on its server."
    retry_after_seconds = None


class ModelRefusedError(InvalidError):
    """The provider works and refused this one request, as it would again: no outage, and nothing that another try helps against."""

    code = "model_refused"
    message = "The language model refused this request."


class PullFailedError(ModelUnavailableError):
    """A model could not be got. What was got so far is kept for the next attempt."""

    message = "The model could not be pulled."
    retry_after_seconds = None


class NoLanguageModelError(UnavailableError):
    """Something has to be written, and what answers here only quotes documents."""

    code = "no_language_model"
    message = (
        "No language model is set up: what answers here quotes documents, and cannot write. "
        "Its administrator can start Ollama and restart Docent, or name another provider."
    )
    retry_after_seconds = None


class ServerStoppingError(UnavailableError):
    """The server is being stopped and cannot wait for the rest of the answer."""

    code = "server_stopping"
    message = "The server was stopped before the answer was complete."


class PromptTooLongError(InvalidError):
    """The provider refused the prompt because it does not fit the model's window.

    ``tokens`` is what the provider counted, and ``window`` what it has; ``None`` where it does not tell.
    """

    code = "prompt_too_long"
    message = "The prompt does not fit the model's context window."

    def __init__(self, message: str | None = None, *, tokens: int | None = None, window: int | None = None) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.window = window


class AnswerCutError(DocentError):
    """The stream ended before the provider said that it was done."""

    code = "answer_cut"
    message = "The language model stopped in the middle of its answer."


class EmbedderUnavailableError(UnavailableError):
    """The embedding model did not answer. Nothing is wrong with the text; try again later."""

    code = "embedder_unavailable"
    message = "The embedding model is not available right now."


class EmbeddingRefusedError(DocentError):
    """The embedding model refused one of these texts, for instance because it is too long for it."""

    code = "embedding_refused"
    message = "The embedding model refused a part of the text."


class VectorIndexUnavailableError(UnavailableError):
    """The vector index did not answer."""

    code = "vector_index_unavailable"
    message = "The vector index is not available right now."


class VectorIndexBrokenError(DocentError):
    """The collection exists with another space or other dimensions, or answers nonsense: rebuild it."""

    code = "vector_index_broken"
    message = "The vector index is damaged and has to be rebuilt."


class DatabaseUnavailableError(UnavailableError):
    """PostgreSQL did not answer, or had no free connection in time."""

    code = "database_unavailable"
    message = "The database is not available right now."


class EmbedderUnusableError(ConflictError):
    """The embedding model that somebody wants to change to is not there, does not answer, or does not embed."""

    code = "embedder_unusable"
    message = "This embedding model cannot be used now, so nothing was changed."


class BlobNotFoundError(NotFoundError):
    """The blob store has nothing under this key."""

    code = "blob_not_found"
    message = "The stored file is missing on the server. Upload it again."


class BlobStoreUnavailableError(UnavailableError):
    """The blob store did not answer."""

    code = "blob_store_unavailable"
    message = "The file storage is not available right now."


class LimiterUnavailableError(UnavailableError):
    """The server that counts the limits for all processes did not answer."""

    code = "limiter_unavailable"
    message = "The shared count of the limits is not available right now."


class RelayUnavailableError(UnavailableError):
    """The server that carries running answers between processes did not answer."""

    code = "relay_unavailable"
    message = "Running answers cannot be followed from another process right now."


class ServiceUnavailableError(UnavailableError):
    """A service of the operator's own, whose state is shown, did not answer."""

    code = "service_unavailable"
    message = "It does not answer."


class ConfigurationError(DocentError):
    """A setting is missing, contradictory or unsafe. The message names it and says what to do."""

    code = "configuration"
    message = "The configuration is not usable."


class InstanceRunningError(ConfigurationError):
    """Another process holds the data folder. The message names the folder and, where it is known, the process id."""

    code = "instance_running"
    message = "Another Docent instance is using this data folder. Stop it first, or choose another folder."
