"""How a conversation is answered: by which model, from which documents, and how strictly."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from ui.client import ApiError, unreadable
from ui.parts import dialogs
from ui.parts.access import api, failed
from ui.parts.conversations.actions import actions
from ui.parts.conversations.address import go_to
from ui.parts.conversations.conversation import Conversation
from ui.parts.look import plain

DIALOG = "settings"
PENDING = "settings_of_the_next"
NEWEST = 500
MOST_CHOSEN = 100
STRICT = "Answer from the documents alone"
WHAT_STRICT_MEANS = "On: what your documents do not say is not answered. Off: the model may add what it knows, and says so."


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen; no documents are all, no model is the default."""

    document_ids: tuple[str, ...] = ()
    strict: bool = False
    model: str | None = None

    def words(self) -> str:
        """Return them in short, as Markdown."""
        count = len(self.document_ids)
        said = ["All documents" if not count else f"{count} document{'s' if count > 1 else ''}"]
        said += ["documents alone"] if self.strict else []
        said += [plain(self.model)] if self.model else []
        return ", ".join(said)


def settings(session: dict[str, Any]) -> None:
    """Show how the open conversation is answered, what can be set of it, and its menu."""
    try:
        conversation = Conversation.of(session)
    except ApiError as error:
        failed(error)
        return
    chosen = Choices(conversation.document_ids, conversation.strict, conversation.model)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        _button(chosen, conversation.id)
        actions(conversation, place="open")
    about = dialogs.asked(DIALOG)
    if about is not None and about["id"] == conversation.id:
        _settings(chosen, conversation)


def choices_of_a_new_one() -> None:
    """Show how the conversation that begins with the next question will be answered, and what can be set of it."""
    chosen = _pending()
    with st.container(horizontal=True, horizontal_alignment="right"):
        _button(chosen, None)
    about = dialogs.asked(DIALOG)
    if about is not None and about["id"] is None:
        _settings(chosen, None)


def session_for_first_question() -> str | None:
    """Begin a conversation that is set as was chosen, open it and return its id; None if nothing was chosen.

    Raises:
        ApiError: It could not be begun. What was chosen is kept.
    """
    chosen = _pending()
    if chosen == Choices():
        return None
    body: dict[str, Any] = {"document_ids": list(chosen.document_ids) or None, "strict": chosen.strict}
    body |= {} if chosen.model is None else {"model": chosen.model}
    try:
        session_id = str(api().post("/chat/sessions", body)["id"])
    except (KeyError, TypeError) as error:
        raise unreadable() from error
    st.session_state.pop(PENDING, None)
    go_to(session_id)
    return session_id


def keep_for_next(session_id: str) -> None:
    """Let the next conversation be set as this one, which is given up.

    Raises:
        ApiError: It cannot be read.
    """
    given_up = Conversation.of(api().get(f"/chat/sessions/{session_id}"))
    _set_next(Choices(given_up.document_ids, given_up.strict, given_up.model))


def _set_next(chosen: Choices) -> None:
    st.session_state[PENDING] = {"document_ids": chosen.document_ids, "strict": chosen.strict, "model": chosen.model}


def _pending() -> Choices:
    pending = st.session_state.get(PENDING)
    return Choices(**pending) if pending is not None else Choices()


def _button(chosen: Choices, session_id: str | None) -> None:
    st.button(
        chosen.words(),
        icon=":material/tune:",
        key=f"settings-{session_id or 'new'}",
        type="tertiary",
        help="What answers, and from which documents",
        on_click=dialogs.ask_for,
        args=(DIALOG, {"id": session_id}),
    )


@dialogs.dialog("Settings of this conversation")
def _settings(chosen: Choices, conversation: Conversation | None) -> None:
    with st.form("conversation-settings", border=False):
        with st.spinner("Loading"):
            documents = _documents(chosen)
            model = _model(chosen) if conversation is None or conversation.knows_models else chosen.model
        strict = st.toggle(STRICT, chosen.strict)
        st.caption(WHAT_STRICT_MEANS)
        if not st.form_submit_button("Save", type="primary"):
            return
    _save(replace(chosen, document_ids=documents, strict=strict, model=model), conversation)


def _save(chosen: Choices, conversation: Conversation | None) -> None:
    if conversation is None:
        _set_next(chosen)
    else:
        changes: dict[str, Any] = {"document_ids": list(chosen.document_ids) or None, "strict": chosen.strict}
        changes |= {"model": chosen.model} if conversation.knows_models else {}
        try:
            api().patch(f"/chat/sessions/{conversation.id}", changes)
        except ApiError as error:
            failed(error)
            return
    dialogs.close()
    st.rerun()


def _documents(chosen: Choices) -> tuple[str, ...]:
    """Let documents be chosen; without the list, what was chosen stays."""
    try:
        titles = {str(one["id"]): str(one["title"]) for one in api().all("/chat/documents", most=NEWEST)}
        deleted = _older(chosen, titles)
    except ApiError as error:
        failed(error)
        return chosen.document_ids
    except (KeyError, TypeError):
        failed(unreadable())
        return chosen.document_ids
    if deleted:
        left = "" if deleted < len(chosen.document_ids) else " None is left: choose others, or save without any to search all."
        st.info(f"{deleted} of the chosen documents {'was' if deleted == 1 else 'were'} deleted.{left}", icon=":material/delete:")
    return tuple(
        st.multiselect(
            "Documents to search",
            list(titles),
            [known for known in chosen.document_ids if known in titles],
            format_func=titles.__getitem__,
            placeholder="All documents",
            max_selections=MOST_CHOSEN,
            disabled=not titles,
            help=f"Without a choice, all are searched. The {NEWEST} newest are listed." if len(titles) >= NEWEST else None,
        )
    )


def _older(chosen: Choices, titles: dict[str, str]) -> int:
    """Add chosen documents that are older than those listed; return how many are gone."""
    gone = 0
    for known in chosen.document_ids:
        if known not in titles:
            try:
                titles[known] = str(api().get(f"/chat/documents/{known}")["title"])
            except ApiError as error:
                if error.status != 404:
                    raise
                gone += 1
    return gone


def _model(chosen: Choices) -> str | None:
    """Let a model be chosen; without the list, what was chosen stays."""
    try:
        told = api().get("/ai/models")
        known = {
            str(one["id"]): bool(one["default"])
            for one in told["models"]
            if not one["capabilities"] or "chat" in one["capabilities"]
        }
        silent = [str(name) for name in told["unavailable"]]
    except ApiError as error:
        failed(error)
        return chosen.model
    except (KeyError, TypeError):
        failed(unreadable())
        return chosen.model
    options = [None, *known]
    if chosen.model is not None and chosen.model not in known:
        options.append(chosen.model)
    usual = next((name for name, default in known.items() if default), None)

    def words(name: str | None) -> str:
        if name is None:
            return f"Default ({usual})" if usual else "Default"
        return name if name in known else f"{name} (not available now)"

    model = st.selectbox("Model", options, options.index(chosen.model), format_func=words)
    if silent:
        st.caption(f"Did not answer, so that their models are missing: {', '.join(silent)}.")
    return model
