"""What an account's tier allows it to keep and to spend, checked inside the transactions that keep and spend."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import ModelNotAllowedError, QuotaExceededError, TokenInvalidError
from backend.core.values.chat import Answer
from backend.core.values.limits import DayUsage, Tier
from backend.db.uow import Transaction
from backend.rag.tokens import estimate_tokens
from backend.services.providers import Providers

_TOLD_MODELS = 20


class Quotas:
    """The tiers' quotas. The tier is read in the same transaction, so a change counts at once.

    With ``enabled`` false no use is refused, however much; what is used is still noted. Which models may be used holds always.
    """

    def __init__(self, providers: Providers, *, enabled: bool) -> None:
        self._providers = providers
        self.enabled = enabled

    async def check_room(
        self, tx: Transaction, owner_id: UUID, incoming_bytes: int, *, hold: bool = True, replacing: int | None = None
    ) -> None:
        """Return if the owner may keep one more document of so many bytes, or a new version of one that has ``replacing``.

        With ``hold`` it waits for the owner's other uploads and keeps the room until the transaction ends: call it in the
        transaction that inserts the document, before the insert. Without, the answer is a glance and may be outdated at once.

        Raises:
            QuotaExceededError: ``details`` says which: ``documents`` or ``stored_bytes``.
        """
        if not self.enabled:
            return
        if hold:
            await tx.usage.hold(owner_id)
        tier = await _tier(tx, owner_id)
        stored = await tx.usage.stored(owner_id)
        if replacing is None and stored.documents >= tier.documents:
            raise QuotaExceededError(
                f"Your account may keep {tier.documents:,} documents and has as many. Delete some first.",
                limit="documents",
                retry_after_seconds=None,
            )
        if stored.bytes + incoming_bytes - (replacing or 0) > tier.stored_bytes:
            raise QuotaExceededError(
                f"Your account may store {tier.stored_bytes:,} bytes, and there is no room left for this file. Delete some first.",
                limit="stored_bytes",
                retry_after_seconds=None,
            )

    async def check_tokens(self, tx: Transaction, owner_id: UUID) -> None:
        """Return if the owner may ask: today's tokens are not used up. The question that crosses the limit is still answered.

        Raises:
            QuotaExceededError: ``details`` says ``tokens_per_day``; the day ends at midnight UTC.
        """
        if self.enabled:
            at = now()
            self._assert_tokens_left(await _tier(tx, owner_id), await tx.usage.of_day(owner_id, at.date()), at)

    def _assert_tokens_left(self, tier: Tier, used: DayUsage, at: datetime) -> None:
        if self.enabled and used.tokens >= tier.tokens_per_day:
            raise QuotaExceededError(
                f"Your account has used its {tier.tokens_per_day:,} tokens of today. There are new ones at midnight UTC.",
                limit="tokens_per_day",
                retry_after_seconds=seconds_until_midnight(at),
            )

    async def check_model(self, tx: Transaction, owner_id: UUID, model: str | None) -> str:
        """Return the id of the model that is asked for, whichever way it was named, if the owner may use it.

        Without a name it is the server's own model, or, where the tier does not have that, the first that it names in full.

        Raises:
            ModelNotAllowedError: The tier does not have it; the message says what it has.
        """
        return self._chosen(await _tier(tx, owner_id), model)

    async def admit(self, tx: Transaction, owner_id: UUID, model: str | None) -> str:
        """Do both, ``check_model`` and ``check_tokens``, with one look."""
        at = now()
        standing = await tx.usage.standing(owner_id, at.date())
        if standing is None:
            raise TokenInvalidError  # The account was deleted after its token was checked.
        tier, used = standing
        chosen = self._chosen(tier, model)
        self._assert_tokens_left(tier, used, at)
        return chosen

    def _chosen(self, tier: Tier, model: str | None) -> str:
        chosen = default_model(tier, self._providers) if model is None else model
        if chosen is None or not tier.allows(self._providers.spellings(chosen)):
            raise _not_allowed(tier, named=model is not None)
        return self._providers.canonical(chosen)

    async def note(self, tx: Transaction, owner_id: UUID, answer: Answer) -> None:
        """Add an answer to what the owner has used today, in the transaction that stores it: both or neither.

        A provider counts at the end of its stream only, so who always hangs up before would never pay: what it did not count is
        estimated, the prompt from its packing and the answer from its text. Rewriting a question counts like reading it.
        """
        read, said = spent(answer)
        await tx.usage.add(owner_id, now().date(), questions=1, prompt_tokens=read, completion_tokens=said)


def spent(answer: Answer) -> tuple[int, int]:
    """Return the tokens that an answer counts for: read and said."""
    usage = answer.usage
    packed = usage.context.used if usage.context is not None and answer.text else 0
    read = (packed if usage.prompt_tokens is None else usage.prompt_tokens) + usage.rewrite_tokens
    return read, estimate_tokens(answer.text) if usage.completion_tokens is None else usage.completion_tokens


def seconds_until_midnight(at: datetime) -> float:
    """Return how long a day of UTC still lasts."""
    return (datetime.combine(at.date() + timedelta(days=1), time(), UTC) - at).total_seconds()


def default_model(tier: Tier, providers: Providers) -> str | None:
    """Return the model that answers a tier's questions that name none, if there is one that it may use."""
    for model in (providers.default_model, *(tier.models or ())):
        if "*" not in model and tier.allows(providers.spellings(model)):
            return providers.canonical(model)
    return None


def _not_allowed(tier: Tier, *, named: bool) -> ModelNotAllowedError:
    models = tier.models or ()
    told = ", ".join(models[:_TOLD_MODELS]) + (" and others" if len(models) > _TOLD_MODELS else "")
    refused = "this model" if named else "the model that answers where none is named"
    return ModelNotAllowedError(f"Your account may not use {refused}. It may use: {told or 'none'}.")


async def _tier(tx: Transaction, owner_id: UUID) -> Tier:
    tier = await tx.tiers.of_owner(owner_id)
    if tier is None:
        raise TokenInvalidError  # The account was deleted after its token was checked.
    return tier
