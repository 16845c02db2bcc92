"""A stand-in for an Ollama server: the real protocol on a real socket, deterministic replies, and faults on demand."""

from tests.support.ollama.faults import Fault
from tests.support.ollama.models import CHAT_MODEL, EMBEDDING_MODEL, InstalledModel
from tests.support.ollama.replies import Thinking
from tests.support.ollama.server import Recorded, StandInOllama

__all__ = ["CHAT_MODEL", "EMBEDDING_MODEL", "Fault", "InstalledModel", "Recorded", "StandInOllama", "Thinking"]
