import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.ports.chat_model import Turn
from backend.rag.follow_ups import REPLY_TOKENS, leaned_on, needs_rewriting, rewriting, standalone
from backend.rag.gauging import TokenGauge
from backend.rag.packing import TURN_TOKENS
from backend.rag.small_talk import is_small_talk
from backend.rag.tokens import estimate_tokens

HISTORY = [Turn("user", "What does the first pump weigh?"), Turn("assistant", "The first pump weighs 40 kg [1].")]

LEANING = """
And the second one?|and in 2023?|Why?|What about the second pump?|How heavy is it?|Who built them?|Tell me more|In 2023?|How much?
Does it need a technician to be serviced every year?|Is that so?|Und die zweite?|Wie schwer ist sie?|Warum?|Et en 2023 ?
Qui l'a construite et où est-elle ?|¿Y la segunda?|¿Quién lo construyó? ¿Y eso?|E la seconda?|Кто его построил?|А вторая?
第二个呢？|那第二个呢|それはなぜですか|2023年は？|그리고 두 번째는?|وماذا عن الثانية؟|من بنى هذه؟
"""
ALONE = """
What do blue whales eat?|How many employees did the company have in 2023?
Which countries signed the treaty of Lund?
Wie viele Urlaubstage stehen Angestellten zu?|Quelle est la capitale du Burkina Faso ?
¿Cuántos días de vacaciones tienen los empleados?
東京の人口はどのくらいですか|蓝鲸每天吃多少磷虾|Сколько весит синий кит?|كم يزن الحوت الأزرق؟
"""
SMALL_TALK = """
Hi|hello!|Hellooo 👋|Thank you so much!|thanks a lot, bye|Danke schön!|Guten Morgen|こんにちは|你好！|谢谢|ありがとうございます
Hi there, good morning!|Hi, how are you?|ok thanks|Привет!|السلام عليكم|नमस्ते|Merci beaucoup !|¿Qué tal?|안녕하세요|OK|Who are you?
你好谢谢|d'accord, merci|Até logo
"""
NOT_SMALL_TALK = """
Hello, what do whales eat?|yes|no|Why?|thanks to whom was it built?|what is a good morning routine|hello world program|?
okay and the second one?|ciao bella recipe|What is ok?|谢谢是什么意思
"""


def each(table: str) -> list[str]:
    return [entry for line in table.strip().splitlines() for entry in line.split("|")]


@pytest.mark.parametrize(("table", "expected"), [(LEANING, True), (ALONE, False)])
def test_what_leans_on_the_conversation_is_told_from_what_stands_alone(table: str, expected: bool) -> None:
    assert [question for question in each(table) if needs_rewriting(question, HISTORY) is not expected] == []


def test_a_first_question_and_a_long_one_lean_on_nothing() -> None:
    assert not any(needs_rewriting(question, []) for question in each(LEANING))
    assert not needs_rewriting("And what about it? " * 10, HISTORY)


@pytest.mark.parametrize(("table", "expected"), [(SMALL_TALK, True), (NOT_SMALL_TALK, False)])
def test_only_a_whole_message_of_courtesies_is_small_talk(table: str, expected: bool) -> None:
    assert [message for message in each(table) if is_small_talk(message) is not expected] == []


def test_a_question_leans_on_those_back_to_the_last_one_that_stands_alone() -> None:
    talk = [
        *HISTORY,
        Turn("user", "And the second?"),
        Turn("assistant", "50 kg."),
        Turn("user", "Thanks!"),
        Turn("assistant", "Yes."),
    ]

    assert leaned_on(talk) == ["What does the first pump weigh?", "And the second?"]
    assert leaned_on([]) == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('"What does the second pump weigh?"\n', "What does the second pump weigh?"),
        ("Rewritten question: What does the second pump weigh?", "What does the second pump weigh?"),
        ("", None),
        ("The second pump weighs 50 kg.", None),
        ("What does the second pump weigh?\nIt weighs 50 kg?", None),
        ("What does the second pump weigh" + " and weigh" * 50 + "?", None),
        ("May I help you with anything else regarding your request today?", None),
        ("?", None),
    ],
)
def test_only_a_question_of_the_conversation_is_taken_for_a_rewritten_one(reply: str, expected: str | None) -> None:
    assert standalone(reply, "And the second one?", HISTORY) == expected


def test_old_answers_are_read_without_markers_control_tokens_and_their_length() -> None:
    made = rewriting("And it? <|im_start|>", [*HISTORY, Turn("user", "Go on"), Turn("assistant", "long " * 500)], window=4096)

    assert made is not None
    read = made.prompt.turns[-1].content
    assert "[1]" not in read
    assert "<|im_start|>" not in read
    assert len(read) < 1000
    assert rewriting("And it?", HISTORY, window=128) is None


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120), st.lists(st.text(max_size=900), min_size=1, max_size=8), st.integers(128, 4000), st.floats(1, 4))
def test_no_rewriting_exceeds_its_window(question: str, said: list[str], window: int, scale: float) -> None:
    history = [Turn("assistant" if number % 2 else "user", text) for number, text in enumerate(said)]
    made = rewriting(question, history, window=window, scale=scale)
    if made is not None:
        counted = sum(estimate_tokens(turn.content) + TURN_TOKENS for turn in made.prompt.turns) + TURN_TOKENS
        assert counted == made.estimate
        assert counted * scale + REPLY_TOKENS <= window


def test_the_gauge_learns_at_once_that_estimates_fall_short_forgets_slowly_and_never_goes_below_one() -> None:
    gauge = TokenGauge()
    gauge.note("m", estimate=100, counted=50)
    gauge.note("m", estimate=100, counted=None)
    gauge.note("m", estimate=100, counted=0)
    assert gauge.ratio("m") == 1.0
    gauge.note("m", estimate=100, counted=200)
    assert (gauge.ratio("m"), gauge.ratio("other")) == (2.0, 1.0)
    gauge.note("m", estimate=100, counted=100)
    assert gauge.ratio("m") == pytest.approx(1.9)
    gauge.note("m", estimate=1, counted=1_000_000)
    assert gauge.ratio("m") == 4.0
