"""The providers of language models of an installation, as one."""

from backend.services.providers.providers import Listing, Providers

__all__ = ["Listing", "Providers"]
