"""What is held to a promise follows from what was measured."""

from benchmarks.grounded import promises as grounded
from benchmarks.grounded.model import embed
from benchmarks.requests import promises as requests
from benchmarks.searching import __main__ as searching
from benchmarks.searching.questions import questions


def test_what_a_grounded_answer_adds_is_beyond_the_model_and_the_embedding_of_the_same_round() -> None:
    def rows(small: tuple[float, ...], large: float) -> dict[str, list[grounded.Row]]:
        return {
            "direct": [grounded.Row(50 + number, 60) for number in range(3)],
            "embedding": [grounded.Row(6, 7) for _ in range(3)],
            grounded.SMALL: [grounded.Row(first, 99) for first in small],
            grounded.LARGE: [grounded.Row(large + number, 99, ("503",)) for number in range(3)],
        }

    told = {one.what: one for one in grounded.verdicts({1: rows((66, 77, 58), 71), 32: rows((76, 77, 78), 86)})}

    figures = [round(one.figure, 3) for one in told.values()]
    assert figures == [10, 2, 15, 2, 1.5, 1.5, 6]
    assert [one.met for one in told.values()] == [True] * 6 + [False]


def test_what_requests_are_held_to_is_the_median_of_the_rounds() -> None:
    def one(me: float, slow: float, rate: float) -> requests.Round:
        took: dict[str, list[float]] = {"round trip": [0.2], "bare FastAPI": [0.3, 0.3], "me": [me], "sign-in": [50, 70]}
        return requests.Round(took, [1.0] * 100, [slow] * 100, rate)

    told = list(requests.verdicts([one(1.0, 2.0, 39), one(2.0, 9.0, 41), one(1.5, 5.0, 45)]))

    assert [round(each.figure, 3) for each in told] == [60, 41, 5, 3]
    assert all(each.met for each in told)


def test_a_hundred_thousand_chunks_are_compared_with_ten_thousand_of_the_same_round() -> None:
    def rows(*p50s: float) -> list[searching.Row]:
        return [searching.Row([p50, p50, 90], [1], [1]) for p50 in p50s]

    told = list(searching.verdicts({1_000: rows(2), 10_000: rows(5, 6, 10), 100_000: rows(15, 30, 20)}))

    assert [(each.figure, each.met) for each in told] == [(6, True), (3, True)]


def test_questions_are_never_the_same_twice_and_near_to_the_passage_that_they_are_of() -> None:
    new = questions()
    asked = [next(new) for _ in range(50)]

    assert len(set(asked)) == 50
    near, far, question = embed([f"search_document: {asked[0]} and more", asked[1], f"search_query: {asked[0]}"])
    assert near @ question > 2 * (far @ question)
