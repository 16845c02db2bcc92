"""What is wrong with an installation, and how to mend it."""

from backend.bootstrap.diagnosis.installation import examined

__all__ = ["examined"]
