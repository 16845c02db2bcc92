"""The scaled shape on one machine: PostgreSQL, Chroma, Redis, several API processes and workers behind one address.

``make scaled`` starts it to try it; the tests start it to prove it. What docker-compose.yml runs in containers runs here as plain
processes, with the same commands and settings, so nothing has to be installed for it but Docent itself.
"""

from deploy.scaled.members import Member, MemberNotStartedError
from deploy.scaled.topology import Scaled, scaled

__all__ = ["Member", "MemberNotStartedError", "Scaled", "scaled"]
