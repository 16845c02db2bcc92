"""Looks at a place, does what can be done there, and lets each call fail in each way."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.support.faulty_api import FaultyApi
from tests.support.pages import Visit
from tests.ui.sweep.actions import Action, actions
from tests.ui.sweep.faults import FAULTS, Fault
from tests.ui.sweep.places import Place

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STREAMED = re.compile(r".*/(query|regenerate|events)")
PYTHONISH = re.compile(
    r"Traceback|\w(Error|Exception)\b|NoneType|object has no|\[Errno|httpx|KeyError|line \d+, in |<[a-z]+ object"
)
"""What a person never reads."""
EXCEPTION = "exception"
QUIET = re.compile(r".*/ai/models|.*/chat/suggestions")
"""What only adds something to a page: without it there is nothing to be said."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method, and a path in which an id stands for any."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}".replace("[0-9a-f-]{36}", "{id}").replace("\\", "")


Path = tuple[Action, ...]


class Crawl:
    """One place, and what happens there. ``caught`` gets what the last net of the pages catches."""

    def __init__(self, api: FaultyApi, place: Place, visit: Callable[[], Visit], caught: list[str]) -> None:
        self.api = api
        self.place = place
        self._visit = visit
        self._caught = caught
        self.visited = visit()
        self.looks = 0

    async def opened(self) -> AppTest:
        """Come to the place afresh, with everything working."""
        self.place.arrange(self.api)
        st.cache_data.clear()
        self._come()
        return await self._run()

    async def _run(self) -> AppTest:
        self.looks += 1
        return await self.visited.run()

    def _come(self) -> None:
        self.visited = self._visit()
        for name, value in self.place.query:
            self.visited.app.query_params[name] = value
        if self.place.view is not None:
            self.visited.app.switch_page(f"views/{self.place.view}.py")

    async def walked(self, path: Path) -> AppTest:
        """Come there, and do these things one after the other."""
        app = await self.opened()
        for action in path:
            if not action.ready(app):
                break
            action.do(app)
            app = await self._run()
        return app

    async def calls(self) -> list[tuple[Path, Call]]:
        """Return each call that is made there, with what has to be done for it."""
        self.api.seen.clear()
        app = await self.opened()
        found: dict[Call, Path] = dict.fromkeys(self._seen(), ())
        known = set(actions(app))
        waiting: list[Path] = [(action,) for action in actions(app) if self._new(action)] if self.place.depth else []
        while waiting:
            path = waiting.pop(0)
            app = await self.walked(path[:-1])
            if not path[-1].ready(app):
                continue
            self.api.seen.clear()
            path[-1].do(app)
            app = await self._run()
            for call in self._seen():
                found.setdefault(call, path)
            new = [action for action in actions(app) if action not in known]
            known.update(new)
            waiting += [(*path, action) for action in new] if len(path) < self.place.depth else []
        return [(path, call) for call, path in found.items()]

    def _new(self, action: Action) -> bool:
        """Tell whether an action is one of this place, and not of the frame around all of them."""
        return self.place.way_in or action.label != "Sign out"

    async def wrong_when_opened(self, calls: Sequence[Call]) -> list[str]:
        """Let the calls that open the place fail in each way, and return what is wrong with the page then.

        All fail at once, each in another way, so that each has failed in each way after as many looks as there are ways. Calls that
        are not made any more where others fail, and looks that are not as they should be, are tried again one by one.
        """
        before = words(await self.opened())
        # Without the account nothing else is called, and what is kept for a while is not called again: these fail alone, and at one
        # place, as they do the same at all.
        gates = [call for call in calls if call.path.endswith("/auth/me") or QUIET.fullmatch(call.path)]
        others = [call for call in calls if call not in gates]
        alone = [(call, fault) for call in gates for fault in FAULTS] if self.place.way_in else []
        for shift in range(len(FAULTS)):
            pairs = [(call, FAULTS[(place + shift) % len(FAULTS)]) for place, call in enumerate(others)]
            made, wrong = await self._looked((), pairs, before)
            alone += [(call, fault) for call, fault in pairs if wrong or call not in made]
        return [f"{call}: {fault.name}: {what}" for call, fault in alone for what in await self._tried((), call, fault, before)]

    async def wrong_after(self, path: Path, call: Call, faults: Iterable[Fault]) -> list[str]:
        """Do something whose call fails in each way, and return what is wrong with the page then."""
        before = words(await self.walked(path))
        found = []
        for fault in faults:
            if not path[-1].ready(self.visited.app):
                await self.walked(path[:-1])
            made, wrong = await self._looked(path, [(call, fault)], before)
            if any(what.startswith(EXCEPTION) for what in wrong):
                found += [f"{call}: {fault.name}: {what}" for what in wrong]
            elif wrong or call not in made:
                # What was left over from the fault before may hide what this one does: only a fresh visit counts.
                found += [f"{call}: {fault.name}: {what}" for what in await self._tried(path, call, fault, before)]
        return found

    async def _tried(self, path: Path, call: Call, fault: Fault, before: set[str]) -> list[str]:
        """Come afresh, let one call fail in one way, and return what is wrong with the page then."""
        if path:
            await self.walked(path[:-1])
        else:
            self._come()
        made, wrong = await self._looked(path, [(call, fault)], before)
        if call not in made and path:
            wrong.append("the call was not made")
        return wrong

    async def _looked(self, path: Path, pairs: Sequence[tuple[Call, Fault]], before: set[str]) -> tuple[list[Call], list[str]]:
        """Do the last of a path, while calls fail; return the calls that were made, and what is wrong with the page."""
        self.place.arrange(self.api)
        st.cache_data.clear()
        self.api.seen.clear()
        for call, fault in pairs:
            fault.arm(self.api, call.method, call.path)
        self._caught.clear()
        app = self.visited.app
        try:
            if path and path[-1].ready(app):
                path[-1].do(app)
            await self._run()
        except RuntimeError as error:
            return [call for call, _ in pairs], [str(error)]
        finally:
            self.place.arrange(self.api)
        made = self._seen()
        return made, [f"{EXCEPTION} {what}" for what in self._caught] + judged(
            app, before, refused=any(fault.refused and not QUIET.fullmatch(call.path) for call, fault in pairs if call in made)
        )

    def faults_of(self, call: Call, streamed: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """Return the ways in which a call can fail."""
        return FAULTS + streamed if STREAMED.fullmatch(call.path) else FAULTS

    def _seen(self) -> list[Call]:
        pairs = (seen.split(" ", 1) for seen in self.api.seen)
        return list(
            dict.fromkeys(Call(method, UUID.sub("[0-9a-f-]{36}", re.escape(path).replace("\\-", "-"))) for method, path in pairs)
        )


def judged(app: AppTest, before: set[str], *, refused: bool) -> list[str]:
    """Return what is wrong with a page on which a call has failed."""
    wrong = [f"{EXCEPTION} {exception.value[:120]!r}" for exception in app.exception]
    shown = words(app)
    wrong += [f"says {text[:120]!r}" for text in shown if PYTHONISH.search(text)]
    if not any(re.search(r"\w{2}.*\w", text) for text in shown):
        wrong.append("says nothing at all")
    elif refused and not shown - before:
        wrong.append("says nothing about it")
    return wrong


def words(app: AppTest) -> set[str]:
    """Return every text that a page shows: exceptions are judged by themselves, and styles are nothing to be read."""
    texts = (_told(node, name) for node in app._tree if node.type != "exception" for name in ("value", "label", "body", "message"))
    return {text for text in texts if isinstance(text, str) and text and not text.startswith("<style>")}


def _told(node: Any, name: str) -> object:
    try:
        return getattr(node, name, None)
    except (KeyError, AttributeError, TypeError, ValueError):
        return None  # A widget whose value is no text, or of which the page has forgotten it.
