"""All services of a process."""

from dataclasses import dataclass

from backend.services.accounts import AccountService
from backend.services.answering.pipeline import Answering
from backend.services.chat import ChatService
from backend.services.documents import DocumentService
from backend.services.maintenance import MaintenanceService
from backend.services.sessions import SessionService


@dataclass(frozen=True, slots=True)
class Services:
    """What routes, jobs and commands call. ``answering`` is here for shutdown only."""

    accounts: AccountService
    answering: Answering
    chat: ChatService
    documents: DocumentService
    maintenance: MaintenanceService
    sessions: SessionService
