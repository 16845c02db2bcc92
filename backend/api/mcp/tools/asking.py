"""Questions, answered by the language model from the documents."""

import asyncio

import anyio

from backend.api.mcp.call import Call, Tell, Tool
from backend.core.values.chat import Question
from backend.schemas.mcp import AskIn, AskOut
from backend.services.answering.events import Delta, Found
from backend.services.answering.turn import Turn

TOLD_EVERY_SECONDS = 0.5
"""How often a client is told how far an answer has got."""


async def _ask(call: Call, arguments: AskIn) -> AskOut:
    """Answer in a task of its own: the SDK cancels again and again, and what ends then has to be waited for."""
    answering = asyncio.create_task(_answer(call, arguments))
    try:
        return await asyncio.shield(answering)
    except asyncio.CancelledError:
        answering.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([answering])
        raise


async def _answer(call: Call, arguments: AskIn) -> AskOut:
    caller = call.caller
    question = Question(
        text=arguments.question,
        session_id=arguments.session_id,
        document_ids=None if arguments.document_ids is None else tuple(arguments.document_ids),
        model=arguments.model,
        strict=arguments.strict,
    )
    async with call.services.usage.enter_stream(caller.user_id, caller.tier):
        turn = await call.services.chat.ask(caller.user_id, question, streamed=call.tell is not None, reach=caller.reach)
        try:
            if call.tell is not None:
                await _follow(turn, call.tell)
            return AskOut.of(await turn.answer())
        finally:
            # A client that has gone frees the model, and keeps its place until that is so.
            turn.leave()
            await asyncio.shield(turn.settled())


async def _follow(turn: Turn, tell: Tell) -> None:
    """Tell how far an answer has got until it is complete: 1 for the search, and then 1 more for each code point."""
    loop = asyncio.get_running_loop()
    said, told_at = 0, 0.0
    while events := await turn.take():
        for event in events:
            if isinstance(event, Found):
                await tell(1, _count(len(event.sources)))
            elif isinstance(event, Delta):
                said += len(event.text)
        if said and loop.time() - told_at >= TOLD_EVERY_SECONDS:
            told_at = loop.time()
            await tell(1 + said, f"Wrote {said:,} characters.")


def _count(passages: int) -> str:
    return f"Read {passages} passage{'' if passages == 1 else 's'}."


ASK = Tool(
    name="ask",
    title="Ask the documents",
    description=(
        "Ask a question and get an answer that Docent's own language model writes from the user's documents, with sources. "
        "`answer_status` says how far it rests on them: `grounded`, `not_in_documents`, `no_documents`, `still_indexing` or "
        "`not_searched`. Markers such as [1] in the answer name the `sources` with that `marker`, whose `quote` is the document's "
        "text at [start:end]. The question and its answer are kept as a conversation: `session_id` goes on with it. This can take "
        "a minute; to write an answer yourself, use `search_documents`."
    ),
    scope="chat",
    arguments=AskIn,
    result=AskOut,
    run=_ask,
    adds=True,
)
