"""What is said where there is nothing to answer from, and no language model to say it."""

from backend.ports.chat_model import NOTHING_FOUND
from backend.rag.situation import Situation

CAPABLE = "I answer questions from your documents and show where each answer comes from: ask me about anything that is in them."
NO_DOCUMENTS = "There are no documents to search yet, so I have nothing to answer from."
NOT_YET = "Your documents are still being indexed, and none of them could be searched yet. Ask again when they are ready."
NOTHING_LEFT = "I found passages about this in the documents, but none of them fits into the language model's window."


def declined(situation: Situation, *, left_out: bool = False) -> str:
    """Return the one honest sentence, or two; ``left_out`` says that passages were found and did not fit."""
    match situation.search:
        case "small_talk":
            return CAPABLE
        case "no_documents":
            return NO_DOCUMENTS
        case "still_indexing":
            return NOT_YET
        case "done":
            sentence = NOTHING_LEFT if left_out else NOTHING_FOUND
    match situation.pending:
        case 0:
            return sentence
        case 1:
            return f"{sentence} One more document is still being indexed: ask again when it is ready."
        case _:
            return f"{sentence} {situation.pending} more documents are still being indexed: ask again when they are ready."
