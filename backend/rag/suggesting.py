"""Questions that a passage answers, made of its own heading and words. No model is asked."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Set
from math import log

from backend.core.sentences import sentences
from backend.core.words import STOP_WORDS, terms

LONGEST = 80
"""Of a subject, in characters."""

_PATTERNS = {
    "ar": "ماذا عن {}؟",
    "de": "Was ist mit {}?",
    "en": "What about {}?",
    "es": "¿Qué se dice sobre {}?",
    "fr": "Que dit-on sur {} ?",
    "it": "Che cosa si sa di {}?",
    "ja": "{}とは何ですか？",
    "ko": "{}에 대한 내용은 무엇인가요?",
    "nl": "Hoe zit het met {}?",
    "pl": "Co to jest {}?",
    "pt": "O que se diz sobre {}?",
    "ru": "Что такое {}?",
    "sv": "Vad gäller för {}?",
    "zh": "{}是什么？",
}
"""By the language of the document. Frames of few words, none of which bends what stands in them."""
_PLAINLY = "{}?"

# A sentence with so much of the question's idf is quoted, with a margin: the answerer without a model asks for 0.3.
_ANSWERED = 0.4

_NUMBER = re.compile(r"^(?:[\W_]*\d+(?:[.\-]\d+)*[.):]?|[IVXLC]+[.)]|[A-Za-z][.)])\s+")
_MARKUP = re.compile(r"[<>\[\]{}`*_#|\\~]+")
_INNER_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_EDGES = " .,;:!?…、。，；：！？؟-–—\"'“”„«»()（）「」"
# Names and nouns of Japanese and Chinese are written in these; what stands between them is mostly grammar.
_UNSPACED = re.compile(r"[\u3400-\u9fff々ァ-ヺー]{2,}")
_KANA = re.compile(r"[ぁ-ゟ]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_CHINESE_GRAMMAR = re.compile("[的是在了和与或及为于把被从到由也都须必并给之每最其一二三四五六七八九十百千万两]")
_KOREAN_PARTICLE = re.compile(r"(?<=\w\w)(?:에서|으로|이며|이다|까지|부터|은|는|이|가|을|를|의|에|로|와|과|도|만)$")
_LONGEST_RUN = 8
_LONGEST_PHRASE = 3
_SHORT_WORD = 4
_PHRASES = 4
_GRAMMAR_TEXT = (
    "aber alle allen aller auch beim dann dass deren dessen diese diesem diesen dieser dieses doch durch eine einem einen einer "
    "eines gegen haben hatte ihre ihrem ihren ihrer jede jeden jeder jedes kann können mehr muss müssen nach nicht noch oder ohne "
    "sehr sein seine seiner sich sind soll sollen sowie über unter wenn werden wird wurde wurden zwischen "
    "ainsi après auprès aussi avant avec cette ceux chaque comme dans depuis dont elle elles entre être leur leurs mais même nous "
    "plus pour puis quand sans selon sont sous tous tout toute toutes vers vous "
    "como cada cuando desde donde durante esta este estos hasta para pero porque puede según sobre sólo también todos "
    "alla anche come dalla delle dello degli della dopo nella nelle ogni oppure però prima quando questa questo sono sulla "
    "aqui após depois mais mesmo muito pela pelo seus suas também "
    "deze door geen maar meer naar niet over tegen tussen voor waar werd worden wordt zijn "
    "andra bara blir efter eller från inte mellan måste också skall till under utan varje vara "
    "albo jego jest które który oraz przez przed przy tego także więc "
    "будет были быть было если когда которые который меня между может очень перед после потом самая самое самой самым самый себя "
    "также того только через чтобы этого этот является являются "
    "just like made make many more most much must need needs only other over same shall take takes under until upon very within"
)
_GRAMMAR = STOP_WORDS | frozenset(_GRAMMAR_TEXT.split())
"""Words that stand between what is spoken of. Those of fewer than four letters count as such in every language."""


def question(heading: str | None, text: str, language: str | None, *, everywhere: Set[str] = frozenset()) -> str | None:
    """Return a question that a sentence of the passage answers, in the words of its language; ``None`` where there is none.

    It asks about the innermost heading, else about what the passage has words for; ``everywhere`` are words that do not tell it
    from other documents, in lower case. It is one line without control characters.
    """
    said = [text[start:end] for start, end in sentences(text)]
    outline = (heading or "").split(" > ")
    bags = [set(terms(sentence)) for sentence in said if not (sentence.startswith("#") or sentence in outline)]
    headings = [outline[-1], *reversed(_INNER_HEADING.findall(text))]
    for subject in (
        *(one for heading in headings for one in _of_heading(heading, language)),
        *_phrases(said, language, everywhere),
    ):
        for pattern in (_PATTERNS.get(language or "", _PLAINLY), _PLAINLY):
            asked = pattern.format(subject)
            asked = asked[0].upper() + asked[1:]
            if _is_answered(asked, bags):
                return asked
    return None


def words_of(text: str) -> set[str]:
    """Return the words of a text, in lower case, as ``everywhere`` has them."""
    return {word.lower() for word in _WORD.findall(text)}


def _of_heading(heading: str, language: str | None) -> Iterator[str]:
    subject = _NUMBER.sub("", _in_line(heading))
    if len(subject) > LONGEST:
        head, space, _ = subject[: LONGEST + 1].rpartition(" ")
        subject = head if space else subject[:LONGEST]
    subject = subject.strip(_EDGES)
    first, space, rest = subject.partition(" ")
    if language == "en" and space and (first.lower() in STOP_WORDS or (first.istitle() and rest == rest.lower())):
        subject = subject[0].lower() + subject[1:]
    if any(map(str.isalpha, subject)):
        yield subject


def _phrases(said: list[str], language: str | None, everywhere: Set[str]) -> list[str]:
    """Return what a passage seems to be about, best first, those of equal worth in its order."""
    text = " ".join(said)
    if language in {"ja", "zh"} or _KANA.search(text):
        return _runs(text)
    counts = Counter(word.lower() for word in _WORD.findall(text))
    worth: dict[str, float] = {}
    for sentence in said:
        for run in _content(sentence, language, everywhere):
            # Words that stand together are one name, or else a noun and its verb as likely as not.
            named = len(run) <= _LONGEST_PHRASE and all(word[0].isupper() for word in run)
            for phrase in [" ".join(run)] if named else run:
                value = min(len(phrase), 12) + 4.0 * min(counts[phrase.lower()] - 1, 3)
                worth.setdefault(phrase, value + (3.0 if phrase[0].isupper() and not sentence.startswith(phrase) else 0.0))
    return sorted(worth, key=lambda phrase: -worth[phrase])[:_PHRASES]


def _runs(text: str) -> list[str]:
    runs = _UNSPACED.findall(text)
    pieces = runs if _KANA.search(text) else [piece for run in runs for piece in _CHINESE_GRAMMAR.split(run)]
    counts = Counter(piece for piece in pieces if 1 < len(piece) <= _LONGEST_RUN)
    return sorted(counts, key=lambda piece: -counts[piece] * len(piece))[:_PHRASES]


def _content(sentence: str, language: str | None, everywhere: Set[str]) -> Iterator[list[str]]:
    """Yield the words that stand together between words of grammar, numbers and marks."""
    run: list[str] = []
    end = -1
    for match in _WORD.finditer(sentence):
        korean = _HANGUL.search(match[0]) is not None
        word = _in_line(_KOREAN_PARTICLE.sub("", match[0]) if korean else match[0])
        # In Korean the particle is what shows a noun.
        telling = word != match[0] if korean else _tells(word, language)
        if run and (korean or not telling or sentence[end : match.start()] != " "):
            yield run
            run = []
        if telling and word.lower() not in everywhere:
            run.append(word)
        end = match.end()
    if run:
        yield run


def _tells(word: str, language: str | None) -> bool:
    """Return whether a word may name something. Nouns show in German and Arabic."""
    if len(word) < _SHORT_WORD or word.lower() in _GRAMMAR:
        return False
    return (language != "de" or word[0].isupper()) and (language != "ar" or word.startswith("ال"))


def _is_answered(asked: str, bags: list[set[str]]) -> bool:
    wanted = set(terms(asked))
    frequencies = Counter(term for bag in bags for term in bag)
    idf = {term: log(1.0 + len(bags) / (1.0 + frequencies[term])) for term in wanted}
    total = sum(idf.values())
    return total > 0 and any(sum(idf[term] for term in wanted & bag) >= _ANSWERED * total for bag in bags)


def _in_line(text: str) -> str:
    """Return a text on one line, without markup and without characters that show nothing or change what is shown."""
    spaced = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in _MARKUP.sub(" ", text))
    return " ".join(spaced.split())
