"""Browsers and programs call the same addresses."""


def wants_page(accept: str) -> bool:
    """Tell from the header Accept whether a page is wanted: HTML is named, as browsers do, and JSON is not."""
    named = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/html" in named and "application/json" not in named
