"""Every other provider of language models, through langchain's ``init_chat_model``."""

from backend.adapters.chat_models.langchain.model import LangChainChatModel

__all__ = ["LangChainChatModel"]
