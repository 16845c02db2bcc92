"""Greetings, thanks and goodbyes: what no document answers."""

import re
import unicodedata
from typing import Final

_LONGEST = 80

_GREETINGS = """
hi|hello|hey|hiya|howdy|yo|good (?:morning|afternoon|evening|day)|greetings
hallo|moin(?: moin)?|servus|grüezi|grüß (?:gott|dich)|guten (?:morgen|tag|abend)
bonjour|bonsoir|salut|coucou
hola|buenos d[ií]as|buenas(?: tardes| noches)?|qu[eé] tal
ciao|salve|buongiorno|buonasera
ol[aá]|oi|bom dia|boa tarde|boa noite
hoi|goedemorgen|goedemiddag|goedenavond|goedendag
hej|hejsan|god (?:morgon|dag|kväll|morgen|aften|kveld)|moi|terve|hyvää (?:päivää|huomenta)
cześć|dzień dobry|dobry wieczór|ahoj|dobrý den|szia|jó napot|merhaba|selam|günaydın|iyi (?:günler|akşamlar)
привет|здравствуй(?:те)?|добр(?:ый день|ое утро|ый вечер)|привіт|γεια(?: σου| σας)?|καλημέρα|שלום
مرحبا|أهلا|اهلا|السلام عليكم|صباح الخير|مساء الخير|سلام|नमस्ते|नमस्कार|xin chào|halo|selamat (?:pagi|siang|malam)
こんにちは|こんばんは|おはよう(?:ございます)?|はじめまして|你好|您好|早上好|晚上好|嗨|안녕(?:하세요|하십니까)?
"""
_THANKS = """
thanks|thank you|thx|ty|cheers|much appreciated|thanks a lot|thank you (?:so|very) much|many thanks
danke|danke schön|danke sehr|vielen dank|herzlichen dank|besten dank
merci|merci beaucoup|gracias|muchas gracias|grazie|grazie mille|obrigad[oa]|muito obrigad[oa]
dank je(?: wel)?|dank u(?: wel)?|bedankt|tack(?: så mycket)?|tak|takk|kiitos|dziękuję|dzięki|děkuji|köszönöm
teşekkürler|teşekkür ederim|sağ ol|спасибо(?: большое)?|дякую|ευχαριστώ|תודה|شكرا|شكرا جزيلا|धन्यवाद|शुक्रिया
cảm ơn|terima kasih|ありがとう(?:ございます|ございました)?|谢谢(?:你|您)?|謝謝|多谢|감사합니다|고마워(?:요)?|고맙습니다
"""
_GOODBYES = """
bye|bye bye|goodbye|good bye|good night|see you|see you (?:later|soon|tomorrow)|so long|farewell|take care|have a nice day
tschüs|tschüss|auf wiedersehen|bis (?:bald|morgen|später|dann)|gute nacht
au revoir|à bientôt|bonne (?:journée|soirée|nuit)|adi[oó]s|hasta (?:luego|mañana|pronto)|buenas noches|chao|chau
arrivederci|buonanotte|adeus|tchau|até (?:logo|amanhã)|tot ziens|doei|hej då|hejdå|näkemiin|do widzenia|na shledanou
hoşça kal|görüşürüz|пока|до свидания|до побачення|αντίο|להתראות|مع السلامة|وداعا|अलविदा|tạm biệt|selamat tinggal
さようなら|またね|再见|再見|拜拜|안녕히 (?:가세요|계세요)
"""
_COURTESIES = """
how are you(?: doing| today)?|how is it going|how s it going|what s up|nice to meet you|who are you|what are you|what is your name
what s your name|what can you do|what can you do for me|how can you help(?: me)?
wie geht es (?:dir|ihnen)|wie geht s|wer bist du|wer sind sie|was kannst du|wie heißt du
comment (?:ça|ca) va|ça va|qui es tu|cómo estás|quién eres|come stai|chi sei|tudo bem|como vai|как дела|кто ты|كيف حالك
你好吗|你是谁|元気ですか|お元気ですか
"""
_ACKNOWLEDGEMENTS = """
ok|okay|great|perfect|cool|nice|awesome|excellent|wonderful|super|got it|i see|alright|all right
very good|well done|sounds good
gut|alles klar|prima|toll|sehr gut|d accord|parfait|très bien|vale|perfecto|muy bien|perfetto|va bene|goed
хорошо|понятно|好的|了解|알겠습니다
"""
_BESIDE = (
    "there|all|everyone|everybody|docent|bot|assistant|friend|again|for (?:your|the) help|for that|so much|a lot|und|and|zusammen"
)


def _alternatives(*lists: str) -> str:
    phrases = [phrase for text in lists for line in text.split("\n") for phrase in _split(line) if phrase]
    # The longest first: of two phrases that begin alike the longer one is meant.
    return "|".join(sorted(phrases, key=len, reverse=True))


def _split(line: str) -> list[str]:
    """Split at the bars that are not inside of a group."""
    return re.split(r"\|(?![^(]*\))", line.strip())


_PHRASES = _alternatives(_GREETINGS, _THANKS, _GOODBYES, _COURTESIES, _ACKNOWLEDGEMENTS)
# Scripts without spaces put phrases next to each other, so the blank between two is optional there only.
_WHOLE: Final = re.compile(
    rf"(?:{_PHRASES})(?:(?: |(?<=[\u3040-\u30ff\u4e00-\u9fff])(?=[\u3040-\u30ff\u4e00-\u9fff]))(?:{_PHRASES}|{_BESIDE}))*"
)
_NOT_WORDS = re.compile(r"[^\w\u0300-\u036f\u0900-\u097f]+|_")
_STRETCHED = re.compile(r"([a-z])\1{2,}")


def is_small_talk(message: str) -> bool:
    """Return whether the whole message is a greeting, thanks, a goodbye or another courtesy, in one of the common languages.

    Case, punctuation and emoji do not matter, and stretched letters (``hellooo``) count once. A message that says anything else as
    well (``Hello, what do whales eat?``) is not small talk, and neither is a bare yes or no, which answers something.
    """
    if len(message) > _LONGEST:
        return False
    folded = _NOT_WORDS.sub(" ", unicodedata.normalize("NFKC", message).lower()).strip()
    return any(_WHOLE.fullmatch(form) for form in dict.fromkeys((folded, _STRETCHED.sub(r"\1", folded))))
