"""The Model Context Protocol, as the official client speaks it."""
