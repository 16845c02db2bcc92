from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.rag.bm25 import idf, matched_share
from backend.rag.fusion import fuse
from backend.rag.selection import within_budget
from backend.rag.similarity import exact_top, from_bytes, to_bytes

A, B, C = (UUID(int=number) for number in (1, 2, 3))
LEGS = st.lists(st.tuples(st.sampled_from([A, B, C, UUID(int=4)]), st.floats(-1, 1)), max_size=6)


def test_scores_are_scaled_per_leg_and_a_missing_chunk_scores_nothing() -> None:
    fused = fuse([(A, 0.9), (B, 0.5), (C, 0.1)], [(B, 12.0), (A, 2.0)], dense_weight=0.5)

    assert [(one.chunk_id, one.score) for one in fused] == [(B, pytest.approx(0.75)), (A, pytest.approx(0.5)), (C, 0.0)]
    assert (fused[0].dense_rank, fused[0].dense_score, fused[0].lexical_rank, fused[0].lexical_score) == (2, 0.5, 1, 12.0)
    assert (fused[2].lexical_rank, fused[2].lexical_score) == (None, None)


def test_a_leg_whose_scores_are_equal_gives_full_marks() -> None:
    fused = fuse([(A, 0.4), (B, 0.4)], [(C, 3.0)], dense_weight=0.25)

    assert {one.chunk_id: one.score for one in fused} == {C: 0.75, A: 0.25, B: 0.25}


def test_the_weight_of_an_empty_leg_goes_to_the_other() -> None:
    assert [one.score for one in fuse([(A, 0.9), (B, 0.1)], [], dense_weight=0.15)] == [1.0, 0.0]
    assert [one.score for one in fuse([], [(A, 9.0)], dense_weight=0.9)] == [1.0]
    assert fuse([], [], dense_weight=0.5) == []


@given(LEGS, LEGS, st.floats(0, 1))
def test_fusion_stays_between_0_and_1_and_ignores_the_order_of_its_input(
    dense: list[tuple[UUID, float]], lexical: list[tuple[UUID, float]], weight: float
) -> None:
    fused = fuse(dense, lexical, dense_weight=weight)

    assert fused == fuse(dense[::-1], lexical[::-1], dense_weight=weight)
    assert all(0.0 <= one.score <= 1.0 + 1e-9 for one in fused)
    assert [one.score for one in fused] == sorted((one.score for one in fused), reverse=True)


def test_exact_search_finds_the_nearest_and_keeps_ties_in_order() -> None:
    matrix = np.array([[0, 1], [1, 0], [0.6, 0.8], [1, 0]], dtype=np.float16)

    rows, similarities = exact_top(np.array([1, 0], dtype=np.float32), matrix, 3)

    assert rows.tolist() == [1, 3, 2]
    assert similarities.tolist() == pytest.approx([1, 1, 0.6], abs=1e-3)
    assert exact_top(np.array([1, 0], dtype=np.float32), matrix[:0], 3)[0].size == 0


def test_the_score_of_a_row_does_not_depend_on_where_it_stands() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(18, 256)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    query = matrix[0] + matrix[1]
    for _ in range(50):
        order = random.permutation(18)
        rows, scores = exact_top(query, matrix[order], 18)
        found = dict(zip(order[rows].tolist(), scores.tolist(), strict=True))
        plain = dict(zip(*(each.tolist() for each in exact_top(query, matrix, 18)), strict=True))
        assert found == plain


def test_vectors_survive_packing_within_half_precision() -> None:
    vectors = np.random.default_rng(1).normal(size=(5, 16)).astype(np.float32)

    assert np.allclose(from_bytes(to_bytes(vectors), 16), vectors, atol=2e-3)
    assert from_bytes([], 16).shape == (0, 16)
    with pytest.raises(ValueError, match="16 dimensions"):
        from_bytes([b"\0\0"], 16)


def test_rare_lexemes_weigh_more_and_no_lexeme_less_than_nothing() -> None:
    assert idf(1, 100) > idf(50, 100) > idf(100, 100) == idf(101, 100) == 0.0
    assert matched_share(1.0, 4.0) == 0.25
    assert matched_share(0.0, 0.0) == 0.0


def test_of_near_duplicates_the_better_ranked_stays() -> None:
    text = " ".join(f"word{number}" for number in range(60))

    assert within_budget([text, "Something else.", f"{text}!", f"{text} more", "something  ELSE", "...", "---"]) == [0, 1, 5, 6]


def test_what_is_like_a_text_that_did_not_fit_is_no_duplicate_of_anything_that_is_shown() -> None:
    long, other = " ".join(["word"] * 30), " ".join(f"word{number}" for number in range(60))

    assert within_budget([long, other, other.replace(" ", "  "), other[:-7]], characters=len(long) + len(other) - 7) == [0, 3]


def test_the_best_text_is_always_taken_and_the_rest_as_the_budget_allows() -> None:
    assert within_budget(["a" * 50, "b" * 40, "c" * 30, "d" * 20], characters=100) == [0, 1]
    assert within_budget(["a" * 50, "b" * 60, "c" * 30], characters=100) == [0, 2]
    assert within_budget(["a" * 500], characters=100) == [0]
