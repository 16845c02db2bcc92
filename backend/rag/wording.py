"""What a model says, made safe to show while it streams."""

from collections.abc import Iterable

from backend.rag.citations import MarkerFilter
from backend.rag.neutralising import Neutraliser


class Wording:
    """Lets an answer through without invented markers, active links, images and HTML. The output does not depend on the pieces.

    It neutralises after the markers are filtered: what is shown, stored and resolved to sources is one and the same text.
    """

    def __init__(self, known: Iterable[int]) -> None:
        self._markers = MarkerFilter(known)
        self._neutraliser = Neutraliser()

    @property
    def invented(self) -> int:
        """How many markers named passages that nobody had given."""
        return self._markers.invented

    @property
    def neutralised(self) -> int:
        """How many links, images and tags were made harmless."""
        return self._neutraliser.neutralised

    def feed(self, text: str) -> str:
        """Return what can be shown by now. NUL is dropped: PostgreSQL stores none, and a model may utter one."""
        return self._neutraliser.feed(self._markers.feed(text.replace("\0", "")))

    def finish(self) -> str:
        """Return the rest. The filter is not used afterwards."""
        return self._neutraliser.feed(self._markers.finish()) + self._neutraliser.finish()
