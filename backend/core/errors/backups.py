"""What may be wrong with a backup, or with the place that it is to be restored into. Operators see these, on the command line."""

from backend.core.errors.dependencies import ConfigurationError


class BackupRefusedError(ConfigurationError):
    """The file is no backup, is damaged or incomplete, is of a newer release, or cannot be written where it should be."""

    code = "backup_refused"
    message = "This file is not a backup that can be used."


class PlaceNotEmptyError(ConfigurationError):
    """A backup is restored into an empty place only, and nothing that is there was touched."""

    code = "place_not_empty"
    message = "There are accounts or documents in this place already. A backup is restored into an empty one; nothing was changed."
