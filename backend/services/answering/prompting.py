"""From a question and its passages to a prompt that the model takes."""

from dataclasses import replace

from backend.core.errors import PromptTooLongError, QuestionTooLongError
from backend.core.tracing import span
from backend.ports.chat_model import ChatModel, Finish, Generation
from backend.rag.gauging import TokenGauge
from backend.rag.packing import Packed, pack
from backend.services.answering.outcome import Progress
from backend.services.answering.turn import Asked

_SMALLER = 0.75
_MARGIN = 1.05


class Prompting:
    """Packs prompts into the model's window, by estimates that it corrects by what the provider counts."""

    def __init__(self, model: ChatModel, gauge: TokenGauge, *, max_tokens: int) -> None:
        self._model = model
        self._gauge = gauge
        self._max_tokens = max_tokens

    async def prompt(self, asked: Asked, progress: Progress) -> tuple[Packed, Generation]:
        """Return the fullest prompt that fits, and how to generate.

        Raises:
            QuestionTooLongError: Not even the instructions and the question fit.
        """
        window = (await self._model.details(asked.model)).context_window
        with span("answer.pack", {"docent.passages": len(progress.retrieved.passages)}):
            return self._within(window, self._options(asked, window), asked, progress)

    def smaller(
        self, asked: Asked, progress: Progress, refused: Packed, options: Generation, refusal: PromptTooLongError
    ) -> tuple[Packed, Generation]:
        """Return a smaller prompt in place of one that the provider refused, by what it told, or by a quarter.

        The window to run with stays: another one would load the model anew.

        Raises:
            QuestionTooLongError: Not even the instructions and the question fit.
        """
        window = min(refused.window, refusal.window or refused.window)
        if refusal.tokens is not None and refusal.tokens > refused.used_tokens:
            self._gauge.note(asked.gauged, estimate=refused.estimate, counted=int(refusal.tokens * _MARGIN))
        elif window == refused.window:
            window = int(window * _SMALLER)
        shorter = self._options(asked, window)
        return self._within(window, replace(shorter, window=options.window), asked, progress)

    def learn(self, asked: Asked, packed: Packed, finish: Finish) -> None:
        """Take note of what the provider counted."""
        self._gauge.note(asked.gauged, estimate=packed.estimate, counted=finish.prompt_tokens)

    def _options(self, asked: Asked, window: int) -> Generation:
        """Reserve what the caller asked for, up to half of the window, or our own limit, up to a quarter."""
        wanted = asked.question.max_tokens
        most = min(self._max_tokens, window // 4) if wanted is None else min(wanted, window // 2)
        return replace(
            asked.generation, model=asked.model, window=window, max_tokens=max(most, 1), temperature=asked.question.temperature
        )

    def _within(self, window: int, options: Generation, asked: Asked, progress: Progress) -> tuple[Packed, Generation]:
        scale = self._gauge.ratio(asked.gauged)
        try:
            return self._packed(window, options, asked, progress, scale), options
        except QuestionTooLongError:
            if scale == 1.0:
                raise
            # What other questions taught may not hold for this one: the provider says whether it does.
            return self._packed(window, options, asked, progress, 1.0), options

    def _packed(self, window: int, options: Generation, asked: Asked, progress: Progress, scale: float) -> Packed:
        return pack(
            asked.question.text,
            asked.history,
            progress.retrieved.passages,
            window=window,
            reserve=options.max_tokens or 0,
            situation=progress.situation,
            searched_for=progress.searched_for,
            meaning=progress.meaning,
            wishes=asked.wishes,
            scale=scale,
        )
