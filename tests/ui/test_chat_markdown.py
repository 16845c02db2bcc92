"""What Streamlit would add to the Markdown of an answer, it does not."""

import pytest

from ui.parts.markdown import prose


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("It costs $5, and $6 more.", "It costs \\$5, and \\$6 more."),
        ("It costs \\$5.", "It costs \\$5."),
        ("Two strokes \\\\$x$", "Two strokes \\\\\\$x\\$"),
        ("Set `$HOME` to $1", "Set `$HOME` to \\$1"),
        ("```sh\necho $HOME :dog:\n```\n$1", "```sh\necho $HOME :dog:\n```\n\\$1"),
        ("```\nstill coming $x", "```\nstill coming $x"),
        (":red[stop] and :dog:", "\\:red[stop] and \\:dog:"),
        (
            "At 10:30, see https://a.example/Help:Contents and [1]: it says",
            "At 10:30, see https://a.example/Help:Contents and [1]: it says",
        ),
        ("```mermaid\ngraph LR\n```", "```\ngraph LR\n```"),
        ("- ~~~ &#109;ermaid\n  graph LR\n  ~~~", "- ~~~\n  graph LR\n  ~~~"),
    ],
)
def test_an_answer_shows_what_was_said(said: str, shown: str) -> None:
    assert prose(said) == shown
