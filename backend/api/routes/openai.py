"""OpenAI's API: what its clients can do here with an API key, or an access token, and this server's address."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from backend.api.completions.response import respond
from backend.api.deps import Asker, Gateway, RunningAnswer
from backend.api.errors import problems
from backend.api.sse import until_gone
from backend.core.errors import (
    AnswerCutError,
    DimensionsUnsupportedError,
    DocumentNotFoundError,
    EmbedderUnavailableError,
    InputTooLongError,
    ModelMissingError,
    ModelNotAllowedError,
    ModelRefusedError,
    ModelUnavailableError,
    ModelUnknownError,
    NoLanguageModelError,
    PromptTooLongError,
    QuestionMissingError,
    QuestionTooLongError,
    QuotaExceededError,
    ReplyShapeUnsupportedError,
    TokenInvalidError,
)
from backend.schemas.base import Storable
from backend.schemas.openai.embeddings import EmbeddingsIn, EmbeddingsOut, encoded
from backend.schemas.openai.models import ServedModelList, ServedModelOut
from backend.schemas.openai.replies import CompletionOut
from backend.schemas.openai.requests import CompletionIn

router = APIRouter(prefix="/v1", tags=["openai"], responses=problems(TokenInvalidError, openai=True))

CHUNKS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The completion; with `stream: true` chunks of it as server-sent events, the last one `[DONE]`.",
        # As for our own stream: what is described is one event of it.
        "content": {
            "text/event-stream": {
                "schema": {
                    "title": "CompletionChunkEvent",
                    "type": "object",
                    "required": ["data"],
                    "properties": {"data": {"type": "string"}},
                },
            }
        },
    }
}


@router.get("/models", responses=problems(ModelUnavailableError, openai=True))
async def list_served_models(caller: Asker, gateway: Gateway) -> ServedModelList:
    """List the models by the names that requests give them."""
    return ServedModelList.of(await gateway.models(caller.user_id, caller.tier))


@router.get("/models/{model:path}", responses=problems(ModelUnknownError, ModelUnavailableError, openai=True))
async def read_served_model(
    model: Annotated[str, Path(min_length=1, max_length=200), Storable], caller: Asker, gateway: Gateway
) -> ServedModelOut:
    """Return one model. Its name may hold slashes."""
    return ServedModelOut.of(await gateway.model(caller.user_id, caller.tier, model))


@router.post(
    "/chat/completions",
    response_model=CompletionOut,
    responses={
        **CHUNKS,
        **problems(
            QuestionMissingError,
            QuestionTooLongError,
            PromptTooLongError,
            ReplyShapeUnsupportedError,
            ModelUnknownError,
            ModelNotAllowedError,
            ModelRefusedError,
            NoLanguageModelError,
            DocumentNotFoundError,
            QuotaExceededError,
            ModelUnavailableError,
            ModelMissingError,
            AnswerCutError,
            openai=True,
        ),
    },
)
async def create_chat_completion(
    body: CompletionIn, caller: Asker, gateway: Gateway, request: Request, _running: RunningAnswer
) -> Response:
    """Go on with a conversation: from the caller's documents with the models named docent, else with the model alone.

    Nothing is kept. A client that disconnects ends it. Fields that are not described here are ignored, tools among them.
    """
    begun = await gateway.complete(caller.user_id, body.completion(), streamed=bool(body.stream), reach=caller.reach)
    return await respond(begun, request, streamed=bool(body.stream), include_usage=body.include_usage)


@router.post(
    "/embeddings",
    response_model=EmbeddingsOut,
    responses=problems(
        InputTooLongError,
        DimensionsUnsupportedError,
        ModelUnknownError,
        QuotaExceededError,
        EmbedderUnavailableError,
        openai=True,
    ),
)
async def create_embeddings(
    body: EmbeddingsIn, caller: Asker, gateway: Gateway, request: Request, _running: RunningAnswer
) -> Response:
    """Embed texts with this server's embedding model, as passages of documents are embedded.

    A client that disconnects ends it. It counts as an answer that runs.
    """
    work = gateway.embed(caller.user_id, body.texts(), model=body.model, dimensions=body.dimensions)
    embedded = await until_gone(work, request.receive)
    if embedded is None:
        return Response(status_code=499)  # Nobody reads it.
    return Response(encoded(embedded, as_base64=body.encoding_format == "base64"), media_type="application/json")
