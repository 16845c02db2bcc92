"""The measures of retrieval against values that were computed by hand, and the file of questions."""

from math import log2
from pathlib import Path

import pytest

from backend.cli.evaluate import failures
from backend.core.errors import QuestionsRefusedError
from backend.core.values.evaluation import Evaluation, Ranking
from backend.core.values.search import Thresholds
from backend.rag.evaluation import Figures, figures
from backend.schemas.evaluation import read_questions


def test_one_right_answer_counts_by_its_rank() -> None:
    third = ("x", "y", "right", "z")
    eleventh = (*"abcdefghij", "right")

    assert figures([(third, {"right": 1})]) == Figures(1, 0.0, 1.0, 1.0, 1 / log2(4), 1 / 3)
    assert figures([(eleventh, {"right": 1})]) == Figures(1, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_grades_discounts_and_means_are_those_of_trec() -> None:
    ranking = ("b", "x", "a", "y", "z", "u", "c")
    gain = 1 / log2(2) + 3 / log2(4) + 2 / log2(8)
    ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4) + 1 / log2(5)

    found = figures([(ranking, {"a": 3, "b": 1, "c": 2, "never": 1, "x": 0}), ((), {"a": 1}), (("a",), {}), (("a",), {"a": 0})])

    # Of four questions two have an answer, and one of these found nothing.
    assert found.questions == 2
    assert [found.recall_1, found.recall_5, found.recall_10] == pytest.approx([0.25 / 2, 0.5 / 2, 0.75 / 2])
    assert found.ndcg_10 == pytest.approx(gain / ideal / 2)
    assert found.mrr_10 == pytest.approx(1 / 2)


def test_more_right_answers_than_places_can_still_be_perfect() -> None:
    everything = [str(number) for number in range(12)]

    found = figures([(everything, dict.fromkeys(everything, 1.0))])

    assert found.ndcg_10 == pytest.approx(1)
    assert found.recall_10 == pytest.approx(10 / 12)


def test_a_document_counts_where_its_best_passage_is() -> None:
    assert figures([(("a", "a", "b", "a", "c"), {"c": 1})]) == Figures(1, 0.0, 1.0, 1.0, 1 / log2(4), 1 / 3)
    assert figures([]) == Figures(0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_questions_are_read_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('\n{"question": "Why?", "document": "a.txt", "page": 2}\n\n{"question": "Who?", "answerable": false}\n')

    found = read_questions(file)

    assert [(known.line, known.question, known.answerable, known.page) for known in found] == [
        (2, "Why?", True, 2),
        (4, "Who?", False, None),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "JSON"),
        ('{"document": "a"}', "question"),
        ('{"question": "Why?"}', "document_id"),
        ('{"question": "Why?", "document": "a", "document_id": "01890000-0000-7000-8000-000000000000"}', "document_id"),
        ('{"question": "Why?", "answerable": false, "document": "a"}', "not answerable"),
        ('{"question": "Why?", "document": "a", "page": 0}', "page"),
        ('{"question": "Why?", "document": "a", "answer": "because"}', "answer"),
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"question": "Why?", "document": "a"}}\n{line}\n')

    with pytest.raises(QuestionsRefusedError, match=f"^Line 2: .*{said}"):
        read_questions(file)


def test_a_figure_under_its_threshold_is_a_sentence_and_one_that_nobody_can_tell_as_well() -> None:
    ranking = Ranking(recall_1=0.5, recall_5=0.8, recall_10=0.9, ndcg_10=0.7, mrr_10=0.6)
    found = Evaluation(10, 0, {"fused": ranking}, 0.1, None, {}, (), "hashing", 0.2, Thresholds(0.3, 0.4))

    assert failures(found, {"recall@5": 0.8, "nDCG@10": 0.7, "MRR@10": None, "rightly refused": None}, 0.1) == []
    assert failures(found, {"recall@5": 0.81, "nDCG@10": 0.7, "MRR@10": 0.9, "rightly refused": 0.5}, 0.05) == [
        "recall@5 is 0.800, and should be at least 0.810.",
        "MRR@10 is 0.600, and should be at least 0.900.",
        "rightly refused is unknown, for lack of such questions, and should be at least 0.500.",
        "wrongly refused is 0.100, and should be at most 0.050.",
    ]
