"""The few pages that the API shows itself: signing in, opening an account, signing out. They work without any script."""

from backend.api.pages.rendering import Field, notice, page

__all__ = ["Field", "notice", "page"]
