"""The tools, in the order in which they are listed."""

from collections.abc import Mapping

from backend.api.mcp.call import AnyTool
from backend.api.mcp.tools.asking import ASK
from backend.api.mcp.tools.documents import DOCUMENT_STATUS, LIST_DOCUMENTS, UPLOAD_DOCUMENT
from backend.api.mcp.tools.reading import READ_PASSAGE, SEARCH_DOCUMENTS

TOOLS: Mapping[str, AnyTool] = {
    tool.name: tool for tool in (SEARCH_DOCUMENTS, READ_PASSAGE, LIST_DOCUMENTS, UPLOAD_DOCUMENT, DOCUMENT_STATUS, ASK)
}
