from hypothesis import given
from hypothesis import strategies as st

from backend.core.words import terms, words
from backend.rag.normalising import search_text
from backend.services.indexing.chunks import searched_text


def test_a_camel_case_word_is_found_whole_and_in_parts() -> None:
    assert search_text("parseJSONBody") == "parsejsonbody parse json body"


def test_hosts_paths_and_compounds_become_words() -> None:
    assert search_text("docs.example.org/a-b_c (v1.2)") == "docs example org a b c v1 2"


def test_compatibility_forms_and_soft_hyphens_are_folded() -> None:
    assert search_text("ﬁle ＡＢＣ infor\xadmation") == "file abc information"


def test_combining_marks_stay_in_their_words() -> None:
    assert words("हिन्दी भाषा") == ["हिन्दी", "भाषा"]


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = search_text(text)
    assert search_text(once) == once


def test_forms_of_a_word_are_one_term_and_stop_words_are_none() -> None:
    assert terms("The engines were tested") == terms("engine testing")
    assert terms("What is it about?") == []


def test_scripts_without_spaces_become_pairs_of_characters() -> None:
    assert search_text("東京タワーの高さは？") == "東京 タワ ワー 高 さは"
    assert search_text("长城有多长？") == "长城 城有 有多 多长"
    assert search_text("서울의 인구는 얼마입니까") == "서울 인구"
    assert search_text("ภาษาไทย") == "ภา าษ ษา าไ ไท ทย"
    assert search_text("iPhoneの価格は2024年に") == "iphone i phone 価格 2024 年"
    assert terms("東京 tower") == ["東京", "tower"]


def test_the_heading_of_a_chunk_is_searched_with_it() -> None:
    assert searched_text("Kündigung > Fristen", "Drei Monate.") == "kündigung fristen drei monate"
    assert searched_text(None, "Drei Monate.") == "drei monate"


def test_ways_of_writing_a_letter_are_one() -> None:
    for one, other in (
        *(("مَدْرَسَةٌ", "مدرسة"), ("مـــدرسة", "مدرسة"), ("أحمد", "احمد"), ("ﷲ", "الله"), ("کتاب", "كتاب")),
        *(("والمدرسة", "المدرسة"), ("١٢٣", "123"), ("२०२४", "2024"), ("שָׁלוֹם", "שלום")),
        *(("İSTANBUL", "istanbul"), ("ısparta", "ISPARTA"), ("ﾄｳｷｮｳ", "トウキョウ"), ("Ｍüller", "mu\u0308ller")),
    ):
        assert search_text(one) == search_text(other), one
