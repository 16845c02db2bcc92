"""Character pairs: words of scripts that are written without spaces, and of Korean, whose words carry their particles."""

import re
from collections.abc import Iterator
from itertools import pairwise

_HAN = "々〆〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HIRAGANA = "\u3041-\u309f"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_BOPOMOFO = "\u3100-\u312f\u31a0-\u31bf"
_HANGUL = "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"
# Thai, Lao, Burmese and Khmer: letters, and the marks that stay with the letter before them. Their digits are no part of a run.
_LETTERS = "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
_LETTERS += "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e"
_LETTERS += "\uaa60-\uaa7a\ua9e0-\ua9ef\u1780-\u17b3\u17d7\u17dc"
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064"
_MARKS += "\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d\uaa7b-\uaa7d\u17b4-\u17d3\u17dd"

_UNSPACED = f"{_HAN}{_HIRAGANA}{_KATAKANA}{_BOPOMOFO}{_HANGUL}{_LETTERS}{_MARKS}"
_ANY = re.compile(f"[{_UNSPACED}]")
_ANY_RUN = re.compile(f"[{_UNSPACED}]+")
# Where the script changes, mostly a word ends. A run of another script is a word as it is.
_RUN = re.compile(f"[{_HAN}]+|[{_HIRAGANA}]+|[{_KATAKANA}]+|[{_BOPOMOFO}]+|[{_HANGUL}]+|[{_LETTERS}{_MARKS}]+|[^{_UNSPACED}]+")
_CHARACTER = re.compile(f"[{_MARKS}]*[^{_MARKS}][{_MARKS}]*|[{_MARKS}]+")

# What stop words are to the languages for which PostgreSQL has a list: questions consist of them, and say nothing by them.
# Japanese: what verbs, copulas and questions end with. Korean: question words, and polite endings.
_GRAMMAR_TEXT = (
    "です ます すか まし した して いる ある こと もの から まで など この その どの どこ いつ だれ なに よう ない れる られ "
    "する れば でし しょ うか くだ ださ さい いい くら らい えて にあ には では とは への せん ませ りま しま あり いま なけ "
    "けれ ばな なり れて れた でき きま ほど ごと "
    "얼마 무엇 언제 어디 누구 누가 어떻 떻게 니까 습니 입니 합니 니다 나요 가요 까요 해야"
)
_GRAMMAR = frozenset(_GRAMMAR_TEXT.split())
_CHINESE_QUESTION = re.compile(
    "什么时候|多长时间|为什么|怎么样|什么|怎么|怎样|哪里|哪儿|多少|多久|是谁|谁|吗|呢|"
    "什麼時候|多長時間|為什麼|怎麼樣|什麼|怎麼|怎樣|哪裡|哪兒|誰|嗎"
)
_KOREAN_PARTICLE = re.compile(
    f"(?<=[{_HANGUL}]{{2}})(?:으로|에서|에게|까지|부터|이며|이다|마다|입니까|인가요|입니다|은|는|이|가|을|를|의|에|로|와|과|도|만)$"
)
# Around what a run of hiragana says: particles of the word before it, question words, polite endings, particles of itself.
_JAPANESE_FRAME = re.compile(
    "^(?:には|では|とは|から|まで|より|[はがのをにへとでも])?(?:いつ|どこ|だれ|どの|どう|なぜ|いくつ|いくら)?"
    "|(?:でしょうか|ましたか|ませんか|ですか|ますか|ました|ません|です|ます|ください|から|まで|には|では|[はがのをにへとでも])$"
)
_FRAMED = 4


def apart(text: str) -> str:
    """Return a text with spaces around its unspaced runs: ``iPhoneの`` is two words, for ``words`` too."""
    return text if text.isascii() else _ANY_RUN.sub(r" \g<0> ", text)


def parts(word: str) -> list[str]:
    """Return what a word of ``words`` is compared by: itself, or the overlapping pairs of characters of its unspaced runs.

    ``東京タワー2号`` gives ``東京 タワ ワー 2 号``. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese have pairs, within
    a run of one script; a mark belongs to its letter, a character alone stays alone. Grammar goes: Japanese particles and endings,
    Korean particles at the end, question words. Idempotent: a pair has no other part than itself. Pure.

    Source: pairs without a dictionary come near to words for Chinese, Japanese and Korean (Lucene's CJKBigramFilter does the same).
    """
    if word.isascii() or not _ANY.search(word):
        return [word]
    plain = _CHINESE_QUESTION.sub(" ", _KOREAN_PARTICLE.sub("", word))
    return [part for piece in plain.split() for run in _RUN.findall(piece) for part in _pairs(run)]


def _pairs(run: str) -> Iterator[str]:
    if not _ANY.match(run):
        yield run
        return
    hiragana = "\u3041" <= run[0] <= "\u309f"
    # A shorter run may be what is left of a longer one, and would lose more each time.
    characters = _CHARACTER.findall(_JAPANESE_FRAME.sub("", run) if hiragana and len(run) >= _FRAMED else run)
    if len(characters) == 1 and not hiragana:
        yield run
    for first, second in pairwise(characters):
        if (pair := first + second) not in _GRAMMAR:
            yield pair
