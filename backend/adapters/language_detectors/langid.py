"""Languages by the frequencies of short sequences of bytes: a naive Bayes model of 140 of them."""

import asyncio
from collections import defaultdict
from threading import Lock
from typing import Any, Final

from backend.core.transactions import assert_no_transaction
from backend.core.words import STOP_WORDS

_SAMPLED: Final = 4000
_PLACES: Final = 8
_CONFIDENT: Final = 0.5
# English has about four such words in ten, other languages in Latin letters one; a few words may be anything.
_PLAINLY_ENGLISH: Final = 0.3
_FEW: Final = 12
# What one stemmer serves, and what its readers would call by one name: dialects, and the same language at another time.
_SAME: Final = {
    **dict.fromkeys(("wuu", "yue"), "zh"),
    **dict.fromkeys(("ary", "arz"), "ar"),
    **{"ext": "es", "grc": "el", "gug": "gn", "hbo": "he", "nn": "no", "pcm": "en", "sdh": "ku", "uzs": "uz", "zxx": ""},
}


class LangidLanguageDetector:
    """Asks py3langid. Its model, 75 MB in memory, is loaded in 0.7 s when the first text comes that is not plainly English.

    Looking at a text of any length then takes about 1 ms.
    """

    def __init__(self) -> None:
        self._loading = Lock()
        self._model: Any = None

    async def detect(self, text: str) -> str | None:
        """See ``LanguageDetector.detect``. ``None`` below a probability of one half."""
        assert_no_transaction("telling a language")
        return await asyncio.to_thread(self._detect, _sample(text))

    def _detect(self, sample: str) -> str | None:
        if _is_plainly_english(sample):
            return "en"
        likely: defaultdict[str, float] = defaultdict(float)
        for language, probability in self._loaded().rank(sample):
            likely[_SAME.get(language, language)] += probability
        best = max(likely, key=likely.__getitem__)
        return best if best and likely[best] >= _CONFIDENT else None

    def _loaded(self) -> Any:  # noqa: ANN401 - py3langid has no types
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - slow to import, and mostly not needed

        with self._loading:
            if self._model is None:
                self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            return self._model


def _sample(text: str) -> str:
    """Return at most 4,000 characters: the first pages of a document often are in another language than the rest."""
    if len(text) <= _SAMPLED:
        return text
    length, step = _SAMPLED // _PLACES, len(text) / _PLACES
    return "\n".join(text[int(place * step) : int(place * step) + length] for place in range(_PLACES))


def _is_plainly_english(sample: str) -> bool:
    found = sample.lower().split()
    return len(found) >= _FEW and sum(word in STOP_WORDS for word in found) >= _PLAINLY_ENGLISH * len(found)
