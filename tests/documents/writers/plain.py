"""Plain text in the encodings of three decades."""

from functools import partial

from tests.documents.real_file import HEBREW, JAPANESE, KEEPER, RUSSIAN, SENTENCES, RealFile, Writers, facts

GERMAN = "Der Wärter zählt größere Schiffe, und die Straße führt über die Dünen."
POLISH = "Latarnik liczył statki każdej nocy, aż zgasło światło nad Łebą."
KOREAN = "등대지기는 매일 밤 배를 세었다. 그는 혼자 살았다."
CHINESE = "灯塔看守人每晚都数船只，直到天亮才睡觉。"
TAIWANESE = "燈塔看守人每晚都數船隻，直到天亮才睡覺。"


def text(encoding: str, *sentences: str, line_end: str = "\n") -> RealFile:
    written = line_end.join([*sentences, ""])
    return RealFile(f"{encoding}.txt", written.encode(encoding), facts(*sentences))


FILES: Writers = {
    "txt with crlf": partial(text, "utf-8", *SENTENCES, line_end="\r\n"),
    "txt with cr": partial(text, "utf-8-sig", *SENTENCES, line_end="\r"),
    "txt in utf-16": partial(text, "utf-16", *SENTENCES, line_end="\r\n"),
    "txt in utf-16 without mark": partial(text, "utf-16-le", *SENTENCES),
    "txt in utf-16 big-endian without mark": partial(text, "utf-16-be", RUSSIAN, JAPANESE),
    "txt in utf-32": partial(text, "utf-32", *SENTENCES),
    "txt in latin-1": partial(text, "latin-1", GERMAN),
    "txt in cp437": partial(text, "cp437", GERMAN),
    "txt in cp1250": partial(text, "cp1250", POLISH),
    "txt in iso-8859-2": partial(text, "iso-8859-2", POLISH),
    "txt in iso-8859-8": partial(text, "iso-8859-8", HEBREW),
    "txt in cp1251": partial(text, "cp1251", RUSSIAN),
    "txt in koi8-r": partial(text, "koi8-r", RUSSIAN),
    "txt in cp866": partial(text, "cp866", RUSSIAN),
    "txt in shift_jis": partial(text, "shift_jis", JAPANESE),
    "txt in euc-jp": partial(text, "euc-jp", JAPANESE),
    "txt in iso-2022-jp": partial(text, "iso-2022-jp", JAPANESE),
    "txt in euc-kr": partial(text, "euc-kr", KOREAN),
    "txt in gb18030": partial(text, "gb18030", CHINESE, KEEPER),
    "txt in big5": partial(text, "big5", TAIWANESE),
}
