"""No answer makes a renderer load, run or follow what its reader did not see."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.rag.neutralising import Neutraliser
from backend.rag.neutralising.filtering import HELD_CHARACTERS
from tests.security.markdown import active
from tests.support.pace import LINEAR, growth

TOKENS = [
    "[", "]", "(", ")", "!", "![", "](", "][", "http://e.x/a", "<http://e.x>", "<img src=x>", "<", "/", "`", "``", "```",
    "````", "~~~", "\n", "\n\n", "\n```\n", "\n```py\n", "\n  ```\n", "\n- ```\n", "\n> ```\n", " ", "    ", "\t", "- ",
    "1. ", "> ", "|",
    "| a |\n|--|--|--|\n", "[a](http://e.x)", "![b](http://e.x)", "[r]: http://e.x\n", "[r]", "![r]", "\\", "$", ":::", "a",
    "word ", "[7]", ":", '"', "#", "---", "<!--", "-->", "</p>", "<script>", "javascript:x", "\r", "\r\n", "*", "_", "&lt;", ".",
]  # fmt: skip


def neutralised(text: str) -> str:
    filtering = Neutraliser()
    return filtering.feed(text) + filtering.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See ![the secret](https://e.x/?q=secret) here", "See the secret here"),
        ("![](http://e.x) ![7](http://e.x) ![x][r] blue![1]", "(image) (image) ! [x][r] blue! [1]"),
        ("[Acme](https://acme.x/a_(b)?c=1#d) [m](mailto:a@b.x)", "Acme (https://acme.x/a_(b)?c=1#d) m (a@b.x)"),
        ("[https://a.x](https://a.x) and https://b.x", "https://a.x and https://b.x"),
        ("[your bank](https://bank.x@e.x/ö 'title')", "your bank (https://bank.x@e.x/%C3%B6)"),
        ("[![alt](http://i.x)](http://l.x)", "alt (http://l.x)"),
        ("[a](JaVaScript:alert(1)) [b](data:text/html;base64,x) [c](file:///etc) [d](vbscript:x)", "a b c d"),
        ("[a](&#106;avascript:x) [b](java\tscript:x) [c](\x01javascript:x) [d](//e.x) [e](/me)", "a b c d e"),
        ("<img src=x onerror=y> </p> <!-- c --> <?php <http://e.x>", "‹img src=x onerror=y> ‹/p> ‹!-- c --> ‹?php ‹http://e.x>"),
        ("if a < b, x <= y <- z, I <3 you", "if a < b, x <= y <- z, I <3 you"),
        ("[1]: https://e.x\n> [r]: <https://e.x>", "[1] : https://e.x\n> [r] : ‹https://e.x>"),
        ("According to [1]: nine. It is so [1][2].", "According to [1]: nine. It is so [1][2]."),
        ("`<b>` and ``a`<b>`` in [1]", "`<b>` and ``a`<b>`` in [1]"),
        ("```html\n<img src=x>\n[a](b)\n```\n<b>", "```html\n<img src=x>\n[a](b)\n```\n‹b>"),
        ("1. do\n   ```\n   <b>\n   ```\n2. `<b>`", "1. do\n   ```\n   <b>\n   ```\n2. `<b>`"),
        ("- [ ] open\n- [x] done [see](this", "- [ ] open\n- [x] done [see] (this"),
        ("[7](http://e.x) [[9](http://e.x)]", "(link) (http://e.x) [(link) (http://e.x)]"),
    ],
)
def test_what_is_active_becomes_text_and_all_else_stays(text: str, expected: str) -> None:
    assert neutralised(text) == expected
    assert active(expected) == []


@pytest.mark.parametrize(
    "hiding",
    [
        "a ` b\n{} `", "\\`{}`", "| ` | {} | ` |", "- ```\n{}\n", "  ```\n{}", "> ```\n{}\n", "para\n    ```\n{}\n",
        "``` `\n{}\n```",
        "```\n``` x\n```\n{}", "```\n    ```\n```\n{}", "![```](x)\n{}\n```\n{}", "$`$ {} `", "$$\n```\n$$\n{}\n```", ":a[`] {} `",
        ":::a\n```\n:::\n{}\n```", "http://a.x/` {} `", "`a\r\r{}`", "[`](x) {} `", "`{}\n\n{}`", "~~~\n```\n~~~\n{}\n```",
        "`` {} `",
    ],
)  # fmt: skip
def test_what_may_not_be_code_to_every_renderer_is_treated_as_prose(hiding: str) -> None:
    attack = "<img src=http://e.x> ![x](http://e.x)"

    assert attack not in neutralised(hiding.replace("{}", attack))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=40), st.data())
def test_nothing_is_active_at_any_split(tokens: list[str], data: st.DataObject) -> None:
    text = "".join(tokens)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6))), len(text)]
    filtering = Neutraliser()

    pieces = [filtering.feed(text[start:end]) for start, end in itertools.pairwise(cuts)]
    shown = "".join(pieces) + filtering.finish()

    assert shown == neutralised(text)
    assert active(shown) == []


def test_plain_text_is_let_through_at_once_and_no_more_than_its_limit_is_held_back() -> None:
    filtering = Neutraliser()

    assert [filtering.feed(piece) for piece in ("It", " is", " 5:00!", " a[", "1", "]", ".")] == [
        "It",
        " is",
        " 5:00",
        "! a",
        "",
        "",
        "[1].",
    ]
    for opener in ("[", "[a](", "`", "```", "![a]("):
        filtering = Neutraliser()
        text = opener + "x" * 3 * HELD_CHARACTERS
        assert len(text) - len(filtering.feed(text)) <= HELD_CHARACTERS


@pytest.mark.parametrize("text", ["[", "](", "![x", "` ", "```", "\\[", "[a](", "<a", "w [1]: ", "[\n", "a `", "word "])
def test_it_takes_linear_time(text: str) -> None:
    assert growth(lambda length: neutralised(text * (length // len(text))), 2 * HELD_CHARACTERS) < LINEAR


def test_it_counts_what_it_changed() -> None:
    filtering = Neutraliser()
    filtering.feed("![a](b) [c](d) <e> f")
    filtering.finish()

    assert filtering.neutralised == 3
