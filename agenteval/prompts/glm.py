"""The whole prompt of GLM-4.7 and GLM-5, byte for byte what the chat template makes of the same messages.

What the template does that one might not expect: reasoning and content of assistant messages lose their outer
blanks, blank content vanishes, an assistant message without kept reasoning begins with a bare `</think>`,
tool results in a row share one `<|observation|>` and nothing says which call each answers. Arguments are the
object that servers make of the JSON text: numbers and spaces are rewritten, the last of repeated keys wins.
Text that is no JSON object stands where the arguments would, as it is; a template does not refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from agenteval.canonical import JsonProblem, parse_json
from agenteval.growing import Remembered
from agenteval.messages import Message, ToolCall, ToolSpec, last_user_index, tool_object
from agenteval.parsers.glm47 import call_text
from agenteval.prompts.format import PromptFormat

_TOOLS_HEAD = """<|system|>
# Tools

You may call one or more functions. Signatures, one JSON object a line, inside <tools></tools>:
<tools>
"""
_TOOLS_FOOT = """</tools>

For each call write: \
<tool_call>{function-name}<arg_key>{key}</arg_key><arg_value>{value}</arg_value></tool_call>"""


_WRITER = json.JSONEncoder(ensure_ascii=False)


class GlmFormat(PromptFormat):
    """`keep_reasoning` is what servers call `clear_thinking: false`."""

    def __init__(self) -> None:
        self._offered = Remembered(_tools)

    def opening(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        return f"[gMASK]<sop>{self._offered.of(tools)}"

    def reasons_after(self, messages: Sequence[Message], *, keep_reasoning: bool) -> int:
        return -1 if keep_reasoning else last_user_index(messages)

    def part(self, messages: Sequence[Message], at: int, *, reasons: bool) -> str:
        return _turn(messages[at], after=messages[at - 1] if at else None, reasons=reasons)

    def closing(self, *, thinking: bool) -> str:
        return f"<|assistant|>{'<think>' if thinking else '</think>'}"


def _tools(tools: Sequence[ToolSpec]) -> str:
    if not tools:
        return ""
    return "".join([_TOOLS_HEAD, *(f"{_json(tool_object(tool))}\n" for tool in tools), _TOOLS_FOOT])


def _turn(message: Message, *, after: Message | None, reasons: bool) -> str:
    text = message.content or ""
    if message.role == "assistant":
        return "".join(["<|assistant|>", *_assistant(message, text.strip(), reasons)])
    if message.role == "tool":
        opener = "" if after is not None and after.role == "tool" else "<|observation|>"
        return f"{opener}<tool_response>{text}</tool_response>"
    return f"<|{message.role}|>\n{text}"


def _assistant(message: Message, text: str, reasons: bool) -> Iterator[str]:
    if message.reasoning and reasons:
        yield f"<think>{message.reasoning.strip()}"
    yield f"</think>{text}"
    yield from map(_call, message.tool_calls)


def _call(call: ToolCall) -> str:
    try:
        arguments = parse_json(call.arguments_text)
    except JsonProblem:
        arguments = None
    if not isinstance(arguments, dict):
        return call_text(f"{call.name}{call.arguments_text}", ())
    return call_text(
        call.name,
        ((key, value if isinstance(value, str) else _json(value)) for key, value in arguments.items()),
    )


def _json(value: object) -> str:
    return _WRITER.encode(value)
