import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.rag.citations import MarkerFilter
from backend.rag.citations.scanning import HELD_CHARACTERS, Scanner


def filtered(text: str, *, known: tuple[int, ...] = (1, 2)) -> str:
    markers = MarkerFilter(known)
    return markers.feed(text) + markers.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blue [1]. Old [1, 2], new【2】 and [ 1;1 ].", "Blue [1]. Old [1][2], new[2] and [1]."),
        ("Invented [7]. And [1, 9] [8][2].", "Invented. And [1] [2]."),
        ("Ends so [9]", "Ends so"),
        ("Source 【1†L3-L5】.", "Source [1]."),
        (
            "See [see], a[i], a[0], [x](http://y), [ ], [], [2024], [0, 1], [1.5], [-1], (1), [1-9]+, [doc].",
            "See [see], a[i], a[0], [x](http://y), [ ], [], [2024], [0, 1], [1.5], [-1], (1), [1-9]+, [doc].",
        ),
        ("A link [1](http://evil) or [7](http://evil) is no citation", "A link [1](http://evil) or (http://evil) is no citation"),
        ("my_list[7] and my_grid[7][8] are indexes", "my_list[7] and my_grid[7][8] are indexes"),
        ("Paris[7], _Rome_[8], in 1987[9] and (so)[7]; Oslo[1, 7].", "Paris, _Rome_, in 1987 and (so); Oslo[1]."),
        ("[[9]/7] 【7†a[9]】 `b`[9]`c`", "[[…]/7] 【7†a[…]】 `b` `c`"),
        ("Nested [[1]], [1[2]], [[1], [9]] and [[[9]]].", "Nested [1], [1][2], [1] and."),
        ("A range [1-2], [1–3] or [7-9].", "A range [1][2], [1][2] or."),
        ("Told [source 1], [Sources: 1, 2], [Source [2]] and [Passage 9].", "Told [1], [1][2], [2] and."),
        ("Digits [١], [２], ［1］, [^1] and [۹].", "Digits [1], [2], [1], [1] and."),
        ("Two [9]words [9](and more)", "Two words (and more)"),
        ("Nothing [0], or [0][1].", "Nothing, or [1]."),
        ("| a [9] | b [1] |\n|---|---|\n- c [9]\n", "| a | b [1] |\n|---|---|\n- c\n"),
        ("[[7]](http://evil) and [[1]](http://evil)", "(http://evil) and [[1]](http://evil)"),
        ("`x [7]` and ``a`[7]`` but [7] not", "`x [7]` and ``a`[7]`` but not"),
        ("```\nx = [7]\n\ny = [8]\n```\nText [7].", "```\nx = [7]\n\ny = [8]\n```\nText."),
        (
            "A stray ` opens code up to the line's end [7]\nnot here [7].",
            "A stray ` opens code up to the line's end [7]\nnot here.",
        ),
        ("Cut [1", "Cut"),
        ("Cut [source 1, ", "Cut"),
        ("Cut [see", "Cut [see"),
        ("Open [1, [2] x", "Open [1, [2] x"),
        ("[1" + " " * 40 + "]", "[1" + " " * 40 + "]"),
    ],
)
def test_only_markers_of_given_passages_come_through(text: str, expected: str) -> None:
    assert filtered(text) == expected


def test_invented_markers_are_counted() -> None:
    markers = MarkerFilter([1])
    markers.feed("One [1], two [2, 3] and [1].")
    markers.finish()

    assert markers.invented == 2


@given(
    st.lists(
        st.sampled_from(
            ["[", "]", "1", "2", "7", ",", ";", " ", "【", "】", "†", "(", "`", "```", "\n", "a", "é", ". ", "-", "^", "so"]
        )
    ),
    st.data(),
)
def test_the_output_does_not_depend_on_the_cuts(tokens: list[str], data: st.DataObject) -> None:
    text = "".join(tokens)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5))), len(text)]
    markers = MarkerFilter([1, 2])

    pieces = [markers.feed(text[start:end]) for start, end in itertools.pairwise(cuts)]

    assert "".join(pieces) + markers.finish() == filtered(text)


@given(
    st.lists(
        st.sampled_from(
            ["[", "]", "1", "7", "[7]", "[9]", "[1]", ",", " ", "【", "】", "†", "`", "``", "\n", "a", "_", "-", "0", "doc"]
        )
    )
)
def test_removing_a_marker_makes_no_other(tokens: list[str]) -> None:
    scanner = Scanner()
    shown = filtered("".join(tokens))

    assert {n for part in [*scanner.feed(shown), *scanner.finish()] if not part.attached for n in part.numbers} <= {1, 2}


def test_text_is_let_through_at_once_but_for_a_possible_marker() -> None:
    markers = MarkerFilter([1])

    assert [markers.feed(piece) for piece in ("It is", " ", "blue", " [", "1", "]", ".")] == [
        "It is",
        "",
        " blue",
        "",
        "",
        "",
        " [1].",
    ]
    assert len(markers.feed("[" + "1" * 100)) >= 100 - HELD_CHARACTERS
