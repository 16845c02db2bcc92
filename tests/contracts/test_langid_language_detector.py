"""The detector of languages, on its real model."""

import asyncio

import pytest

from backend.adapters.language_detectors.langid import LangidLanguageDetector
from backend.rag.languages import CONFIGURATIONS, configuration

SENTENCES = {
    "ar": "عاصمة فرنسا هي باريس وهي مدينة كبيرة",
    "de": "Urlaub muss vier Wochen vorher beantragt werden.",
    "el": "Η γάτα κοιμάται στο σπίτι όλη μέρα.",
    "en": "Owls hunt mice at night, and they sleep during the day.",
    "es": "La capital de España es Madrid.",
    "fi": "Kissa nukkuu talossa koko päivän.",
    "fr": "Les congés payés sont de vingt-cinq jours par an.",
    "he": "החתול ישן בבית כל היום",
    "ja": "会議室の予約方法を説明します。",
    "ko": "고양이가 집에서 잔다",
    "ru": "Договор аренды заключается на один год.",
    "th": "แมวนอนอยู่ในบ้าน",
    "tr": "Kedi bütün gün evde uyuyor.",
    "zh": "北京是中国的首都。",
}


@pytest.fixture(scope="module")
def detector() -> LangidLanguageDetector:
    return LangidLanguageDetector()


async def test_a_sentence_shows_its_language(detector: LangidLanguageDetector) -> None:
    found = await asyncio.gather(*(detector.detect(sentence) for sentence in SENTENCES.values()))
    assert dict(zip(SENTENCES, found, strict=True)) == dict(zip(SENTENCES, SENTENCES, strict=True))


@pytest.mark.parametrize("text", ["", "1, 2, 3; 4.5 = 6", "Notes 2024", "\x00\ud800", "🦉 🐭"])
async def test_what_has_no_language_shows_none(detector: LangidLanguageDetector, text: str) -> None:
    assert await detector.detect(text) is None


async def test_most_of_a_long_text_decides_and_not_how_it_begins(detector: LangidLanguageDetector) -> None:
    text = SENTENCES["en"] * 100 + SENTENCES["de"] * 1000 + SENTENCES["fr"] * 100
    assert await detector.detect(text) == "de"


async def test_every_configuration_that_postgresql_has_belongs_to_a_language(detector: LangidLanguageDetector) -> None:
    assert len({*CONFIGURATIONS.values(), configuration("ja", "")}) == 30
    assert {configuration(None, "Version 2.1, 30 kg"), configuration(None, "")} == {"english"}
    assert configuration(None, "Ωμέγα ψ") == "simple"
