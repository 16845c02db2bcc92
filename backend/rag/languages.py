"""From languages to PostgreSQL's text search configurations."""

from typing import Final

ENGLISH: Final = "english"
SIMPLE: Final = "simple"

# All that PostgreSQL 18 has. Croatian and Bosnian are stemmed as Serbian is, in either script, and Malay as Indonesian.
CONFIGURATIONS: Final = {
    **{"ar": "arabic", "bs": "serbian", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english"},
    **{"es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi"},
    **{"hr": "serbian", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian"},
    **{"ms": "indonesian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian"},
    **{"ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish"},
}
"""Configurations by the ISO 639 code of their language; every other language has ``simple``."""

_MOSTLY = 0.9


def configuration(language: str | None, text: str) -> str:
    """Return the text search configuration for a text in a language, ``None`` if that could not be told.

    What does not show its language (a list of numbers, a few words, program code) is ``english`` if its letters are ASCII, as most
    such texts are, and ``simple``, which stems nothing and keeps every word, if they are not.
    """
    if language is not None:
        return CONFIGURATIONS.get(language, SIMPLE)
    letters = [letter.isascii() for letter in text[:10_000] if letter.isalpha()]
    return ENGLISH if sum(letters) >= _MOSTLY * len(letters) else SIMPLE
