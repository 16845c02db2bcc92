"""The tokens with which chat templates separate the turns of a conversation, taken out of their meaning."""

import re

_NAMES = (
    r"s|bos|eos|unk|pad|mask|sep|cls|eot|eom|(?:start|end)_of_(?:turn|image|text|role)|begin_of_text|im_(?:start|end|sep)|endoftext|"
    r"think|thinking|tools?|tool_(?:calls?|responses?|results?)|function_calls?|function_results|system|user|assistant|human"
)
_ANGLED = re.compile(rf"<(?=/?[|｜]|/?(?:{_NAMES})>|</?SYS>>)", re.IGNORECASE)
_BRACKETED = re.compile(
    r"\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_(?:CALLS|RESULTS|CONTENT|ID)|ARGS|CALL_ID|THINK|IMG(?:_BREAK|_END)?|PREFIX|"
    r"MIDDLE|SUFFIX|CONTROL_\d+|gMASK|sMASK)\])",
    re.IGNORECASE,
)


def disarmed(text: str) -> str:
    """Return the text without anything that a tokenizer could take for a control token: its bracket becomes another character.

    A server that tokenizes a whole prompt at once reads ``<|im_start|>`` or ``[INST]`` in a document like those of its template: a
    document could end its turn and speak as the system. For what a model reads only, never for what is quoted.

    The names are those of Llama 2 and 3, Mistral, Qwen, Gemma, Phi, DeepSeek, GLM, gpt-oss and Granite.
    """
    return _BRACKETED.sub("⟦", _ANGLED.sub("‹", text))
