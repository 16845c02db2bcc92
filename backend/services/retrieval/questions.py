"""Questions: their forms, and their vectors."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from backend.ports.embedder import Embedder, Vector

CACHED_QUESTIONS = 512


def forms_of(questions: str | Sequence[str]) -> tuple[str, ...]:
    """Return the forms of a question that can be searched for, each once: what has no letter or digit in it finds nothing."""
    given = (questions,) if isinstance(questions, str) else questions
    return tuple(form for form in dict.fromkeys(given) if any(map(str.isalnum, form)))


class QuestionVectors:
    """Embeds questions, and remembers the last ones.

    What nobody waits for any more goes on to its end: a model that is being loaded, and is left alone because that takes long,
    would begin anew with every question and never be there.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Vector] = OrderedDict()
        self._running: dict[tuple[str, str], asyncio.Task[Vector]] = {}

    async def of(self, embedder: Embedder, questions: Sequence[str]) -> list[Vector]:
        """Return a vector for each question. Errors as ``Embedder.embed_query``."""
        return list(await asyncio.gather(*(self._of(embedder, question) for question in questions)))

    async def _of(self, embedder: Embedder, question: str) -> Vector:
        key = (embedder.identity, question)
        if (vector := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return vector
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(embedder.embed_query(question))
            task.add_done_callback(lambda ended: self._keep(key, ended))
        return await asyncio.shield(task)

    def _keep(self, key: tuple[str, str], task: asyncio.Task[Vector]) -> None:
        del self._running[key]
        if task.cancelled() or task.exception() is not None:
            return  # Whoever waits for it is told; the next question asks anew.
        self._known[key] = task.result()
        if len(self._known) > CACHED_QUESTIONS:
            self._known.popitem(last=False)
