"""The tables, one a file. Importing this package fills ``Base.metadata``."""

from backend.models.api_key import ApiKeyRow
from backend.models.audit_event import AuditEventRow
from backend.models.auth_session import AuthSessionRow
from backend.models.base import Base
from backend.models.chat_session import ChatSessionRow
from backend.models.chunk import ChunkRow
from backend.models.chunk_vector import ChunkVectorRow
from backend.models.corpus_size import CorpusSizeRow
from backend.models.document import DocumentRow
from backend.models.document_text import DocumentTextRow
from backend.models.idempotency_key import IdempotencyKeyRow
from backend.models.index_generation import IndexGenerationRow
from backend.models.lexeme import LexemeRow
from backend.models.message import MessageRow
from backend.models.message_source import MessageSourceRow
from backend.models.reset_link import ResetLinkRow
from backend.models.setting import SettingRow
from backend.models.task import TaskRow
from backend.models.tier import TierRow
from backend.models.usage import UsageRow
from backend.models.user import UserRow

__all__ = [
    "ApiKeyRow",
    "AuditEventRow",
    "AuthSessionRow",
    "Base",
    "ChatSessionRow",
    "ChunkRow",
    "ChunkVectorRow",
    "CorpusSizeRow",
    "DocumentRow",
    "DocumentTextRow",
    "IdempotencyKeyRow",
    "IndexGenerationRow",
    "LexemeRow",
    "MessageRow",
    "MessageSourceRow",
    "ResetLinkRow",
    "SettingRow",
    "TaskRow",
    "TierRow",
    "UsageRow",
    "UserRow",
]
