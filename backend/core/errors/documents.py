"""Uploads and documents."""

from backend.core.errors.kinds import ConflictError, DocentError, InvalidError, NotFoundError, TooLargeError, UnsupportedTypeError


class DocumentNotFoundError(NotFoundError):
    """No document of this owner has that id."""

    code = "document_not_found"
    message = "There is no such document."


class DuplicateDocumentError(ConflictError):
    """The caller already uploaded these exact bytes."""

    code = "document_duplicate"
    message = "You already uploaded this file."


class DocumentStateError(ConflictError):
    """The document's present status does not allow this."""

    code = "document_state"
    message = "The document's status does not allow this."


class DocumentTooLargeError(TooLargeError):
    """The file is over the limit; reading stopped there."""

    code = "document_too_large"
    message = "The file is larger than this server accepts."


class DocumentEmptyError(InvalidError):
    """The file has no bytes."""

    code = "document_empty"
    message = "The file is empty. Look whether it was saved, and upload it again."


class UploadInvalidError(InvalidError):
    """The multipart body is not one that this endpoint takes, or ended before it was complete."""

    code = "upload_invalid"
    message = "Send one multipart field named `file` that holds a file, and optionally `title`."


class DocumentTypeError(UnsupportedTypeError):
    """No parser reads this type, or the bytes are not what the name says."""

    code = "document_type_unsupported"
    message = "This type of file is not supported."


class ParsingError(DocentError):
    """A document cannot be read. ``code`` and ``message`` are stored on the document and shown to its owner."""

    code = "document_unreadable"
    message = "The file is damaged or not what its name says, so its text cannot be read."

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
