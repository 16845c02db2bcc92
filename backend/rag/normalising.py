"""The text that the lexical leg searches."""

from backend.core.words import words


def search_text(text: str) -> str:
    """Return what goes through ``to_tsvector``, for documents and questions alike.

    PostgreSQL's parser takes ``a.b``, ``foo/bar`` and ``x-y`` for hosts, files and compounds, so everything but letters, digits and
    marks becomes one space. Compatibility forms are folded (NFKC: ligatures and full-width forms of PDFs). A camelCase word stays
    and is followed by its parts, so that both find it. The result is lower-case, which makes the function idempotent.
    """
    return " ".join(words(text))
