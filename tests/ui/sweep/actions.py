"""What a visitor can do on a page: each widget that can be used, found by looking at the page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from streamlit.runtime.state.common import TESTING_KEY
from streamlit.testing.v1 import AppTest

FEW = 3
"""As many choices of a widget are tried."""


@dataclass(frozen=True)
class Action:
    """Something to do with the widget of a kind that bears a label; rows have the same widgets, of which the first counts."""

    kind: str
    label: str
    choice: int = 0

    def __str__(self) -> str:
        return f"{self.kind} “{self.label}”" + (f" {self.choice}" if self.choice else "")

    def ready(self, app: AppTest) -> bool:
        """Tell whether the widget is there."""
        return self._widget(app) is not None

    def do(self, app: AppTest) -> None:
        """Use the widget; the page does not run yet."""
        widget = self._widget(app)
        assert widget is not None, f"{self} is not there any more"
        _fill(app, widget)
        DOINGS[self.kind](widget, self.choice)

    def _widget(self, app: AppTest) -> Any:
        return next(
            (
                widget
                for widget in app.get(self.kind)
                if label_of(widget) == self.label and not getattr(widget.proto, "disabled", False)
            ),
            None,
        )


def actions(app: AppTest) -> Iterator[Action]:
    """Yield what can be done on a page, each once."""
    for kind in DOINGS:
        found: Any = app.get(kind)
        for widget in found:
            label = label_of(widget)
            if kind in IN_FORMS and _form_of(widget):
                continue  # In a form only the button calls.
            if getattr(widget.proto, "disabled", False):
                continue  # Found later, by what makes it usable.
            for choice in range(min(len(widget.options), FEW) if kind in CHOICES else 1):
                yield Action(kind, label, choice)


def label_of(widget: Any) -> str:
    """Return what a widget is called."""
    return str(getattr(widget, "label", "") or getattr(widget, "placeholder", "") or widget.type)


def _form_of(widget: Any) -> str:
    return str(getattr(widget.proto, "form_id", ""))


def _fill(app: AppTest, used: Any) -> None:
    """Write something into the fields of the form that is being sent, so that it is."""
    form = _form_of(used)
    fields: Any = (*app.get("text_input"), *app.get("text_area"))
    for field in fields:
        if (
            not field.value
            and not getattr(field.proto, "disabled", False)
            and (form == _form_of(field) if form else used.type == "button")
        ):
            field.set_value("correct horse battery")


def _choose(widget: Any, choice: int) -> None:
    if widget.type == "selectbox":
        widget.select_index(choice)
        return
    # Streamlit's test knows the words of a choice and not what stands for it in the script: so words are taken as they are.
    widget.root.session_state[TESTING_KEY][widget.id] = str
    widget.select(widget.options[choice])


DOINGS: dict[str, Callable[[Any, int], object]] = {
    "button": lambda widget, _: widget.click(),
    "download_button": lambda widget, _: widget.click(),
    "chat_input": lambda widget, _: widget.set_value("Which number do I call in an emergency?"),
    "selectbox": _choose,
    "text_input": lambda widget, _: widget.set_value("emergency"),
    "button_group": _choose,
    "menu_button": lambda widget, choice: widget.click_index(choice),
    "feedback": lambda widget, _: widget.set_value(0 if widget.value else 1),
    "file_uploader": lambda widget, _: widget.set_value([("notes.md", b"# Notes\n\nSomething.", "text/markdown")]),
    "toggle": lambda widget, _: widget.set_value(not widget.value),
}
CHOICES = {"selectbox", "button_group", "menu_button"}
IN_FORMS = {"text_input", "selectbox", "toggle", "button_group"}
