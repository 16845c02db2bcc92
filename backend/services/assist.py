"""Writing, and helping with SQL and code: without documents, and without a conversation that is kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from backend.core.values.assist import CodeWanted, Filled, HowToWrite, SqlFound, SqlWanted, TextWanted
from backend.core.values.sql import ALIASES, SqlFault
from backend.ports.chat_model import Generation, Prompt
from backend.ports.sql_parser import SqlParser
from backend.rag.assisting import code_prompt, infill_prompt, sql_prompt, text_prompt
from backend.rag.code_replies import completion_in
from backend.rag.sql.replies import SqlReply, sql_in
from backend.rag.thoughts import split_thoughts
from backend.services.generating.reply import Generated, Reply, Wanted
from backend.services.generating.service import Generating

_STEADY = 0.0
"""The temperature for SQL and code where nobody asks for another."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Code that is being written. ``clean`` makes the completion of the whole reply; ``None`` where it is that as it comes."""

    reply: Reply
    filled: Filled
    clean: Callable[[str], str] | None


class AssistService:
    """Asks a model that writes. Whoever gets a ``Reply`` reads it to its end, or leaves it."""

    def __init__(self, generating: Generating, parser: SqlParser) -> None:
        self._generating = generating
        self._parser = parser

    async def generate(self, owner_id: UUID, wanted: TextWanted) -> Reply:
        """Begin to write what a prompt asks for.

        Raises:
            NoLanguageModelError: What answers here only quotes.
            DocentError: As ``Generating.begin``.
        """
        return await self._generating.begin(_wanted(owner_id, wanted.how, text_prompt(wanted)))

    async def sql(self, owner_id: UUID, wanted: SqlWanted) -> tuple[SqlFound, Generated]:
        """Write, explain, improve or repair SQL, and say whether it parses. Cancelled, it frees the model.

        Raises:
            NoLanguageModelError: What answers here only quotes.
            PromptTooLongError: It does not fit the model's window.
            DocentError: As ``Generating.begin``, or the reply failed or was cut.
        """
        dialect = ALIASES.get(wanted.dialect or "", wanted.dialect)
        wanted = replace(wanted, dialect=dialect)
        broken = (await self._parser.judge(wanted.sql, dialect)).fault if wanted.task == "fix" and wanted.sql else None
        reply = await self._generating.begin(_wanted(owner_id, wanted.how, sql_prompt(wanted, broken), steady=True))
        try:
            generated = await reply.whole()
        finally:
            reply.leave()
        return await self._judged(wanted, generated), generated

    async def complete(self, owner_id: UUID, wanted: CodeWanted) -> Completion:
        """Begin to fill a gap in code, by a model that was trained to, or by one that is asked to.

        Raises:
            NoLanguageModelError: What answers here only quotes.
            DocentError: As ``Generating.begin``.
        """
        inserting = _wanted(owner_id, wanted.how, infill_prompt(wanted), steady=True)
        if "insert" in (await self._generating.details(inserting)).capabilities:
            return Completion(await self._generating.begin(inserting), "insert", None)
        reply = await self._generating.begin(replace(inserting, prompt=code_prompt(wanted)))
        return Completion(reply, "chat", lambda text: completion_in(text, wanted.prefix, wanted.suffix, language=wanted.language))

    async def _judged(self, wanted: SqlWanted, generated: Generated) -> SqlFound:
        if wanted.task == "explain":
            explanation, thinking = split_thoughts(generated.text)
            found = SqlReply(wanted.sql, explanation.strip(), thinking)
        else:
            found = sql_in(generated.text, given=[text for text in (wanted.sql, wanted.schema) if text])
        thinking = "\n\n".join(filter(None, (generated.thinking, found.thinking)))
        if found.sql is None:
            return SqlFound(None, found.explanation, thinking, None, 0, SqlFault("The reply holds no SQL."))
        judgement = await self._parser.judge(found.sql, wanted.dialect)
        return SqlFound(found.sql, found.explanation, thinking, judgement.valid, judgement.statements, judgement.fault)


def _wanted(owner_id: UUID, how: HowToWrite, prompt: Prompt, *, steady: bool = False) -> Wanted:
    # The generator puts in the model and its window.
    options = Generation(
        "",
        0,
        max_tokens=how.max_tokens,
        temperature=_STEADY if steady and how.temperature is None else how.temperature,
        stop=how.stop,
        think=how.think,
        shape=how.shape,
    )
    return Wanted(owner_id, prompt, model=how.model, options=options, writers_only=True)
