"""Text in encodings that nothing declares."""

import pytest

from backend.adapters.document_parsers.decoding import decode

TEXTS = {
    "french": "Le café était fermé à Noël, où êtes-vous ?",
    "german": "Die Straße ist für Füße größer",
    "russian": "Привет, мир. Это русский текст, который мы читаем.",
    "japanese": "これは日本語の文章です。文字コードを調べます。",
    "korean": "이것은 한국어 문장입니다. 문자 인코딩을 확인합니다.",
    "chinese": "这是一个中文文档，用于测试编码。",
    "taiwanese": "這是一個中文文件，用於測試編碼的正確性。",
    "polish": "Zażółć gęślą jaźń, proszę państwa, dziękuję",
    "hebrew": "שלום עולם, זה טקסט בעברית לבדיקה של קידוד",
    "greek": "Αυτό είναι ένα ελληνικό κείμενο για δοκιμή",
    "arabic": "هذا نص عربي لاختبار ترميز الملفات",
    "thai": "นี่คือข้อความภาษาไทยสำหรับทดสอบ การเข้ารหัส",
}


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize(
    ("encoding", "language"),
    [
        ("latin-1", "french"), ("iso-8859-15", "french"), ("cp850", "french"), ("latin-1", "german"), ("cp437", "german"),
        ("cp1250", "polish"), ("iso-8859-2", "polish"), ("cp1251", "russian"), ("koi8-r", "russian"), ("cp866", "russian"),
        ("iso-8859-5", "russian"), ("cp1253", "greek"), ("iso-8859-7", "greek"), ("cp1255", "hebrew"), ("iso-8859-8", "hebrew"),
        ("cp1256", "arabic"), ("cp874", "thai"), ("shift_jis", "japanese"), ("euc-jp", "japanese"), ("iso-2022-jp", "japanese"),
        ("euc-kr", "korean"), ("gb18030", "chinese"), ("big5", "taiwanese"), ("utf-16-le", "russian"), ("utf-16-be", "chinese"),
        ("utf-16-le", "german"), ("utf-16-be", "arabic"), ("utf-32-le", "chinese"), ("utf-32-be", "french"),
    ],
)  # fmt: skip
def test_a_sentence_is_enough_to_tell_its_encoding(encoding: str, language: str, times: int) -> None:
    text = (TEXTS[language] + "\n") * times

    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("word", ["café", "Füße", "naïve", "größer", "Łódź", "piñata", "Ærø", "5 €"])
def test_a_single_word_is_never_taken_for_chinese(word: str) -> None:
    encoding = "cp1250" if word == "Łódź" else "cp1252"

    assert decode(word.encode(encoding)).isascii() is False
    assert not any("\u3000" <= character <= "\uffef" for character in decode(word.encode(encoding)))


def test_a_zero_in_plain_text_does_not_make_it_utf16() -> None:
    assert decode("größer\0 und länger".encode()) == "größer\0 und länger"
    assert decode(b"a\0b") == "a\0b"
