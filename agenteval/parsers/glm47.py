"""GLM-4.7, 4.7-Flash and GLM-5: what these models write, and what it means.

A reply begins inside reasoning if the prompt ended with `<think>`. Reasoning ends with `</think>`, then comes
content, then any number of `<tool_call>name<arg_key>key</arg_key><arg_value>value</arg_value>…</tool_call>`.

Values are verbatim: nothing is stripped, and nothing but `</arg_value>` ends one, so any other tag may be
quoted in it. Whether a value is text or JSON is the tool's schema's word, see `arguments`. Names and keys are
stripped, and text between the tags of a call means nothing: that reads the newline framing of GLM-4.5, into
which 4.7 sometimes falls. A string argument streams while it is written; any other value comes when it is
complete, and so does a name.

What ambiguous and malformed text means is told in `POLICIES`. Not covered: `</arg_value>` quoted in a value.
The format has no escape for it, so that `render` refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agenteval.canonical import JsonProblem
from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers.arguments import members, parameter_types, quoted, spelled
from agenteval.parsers.family import Family
from agenteval.parsers.glm_reader import NAME, ROLES, TAGS, VALUE_END, GlmReader
from agenteval.parsers.writable import whole_characters, without_markers

MARKERS = (*ROLES, *TAGS)
SPECIAL = ("[gMASK]", "<sop>", *MARKERS)

POLICIES: dict[str, str] = {
    "call_in_thinking": (
        "`<tool_call>` while reasoning is open begins a call and ends the reasoning. vLLM and SGLang do the"
        " same; llama.cpp leaves it in the reasoning."
    ),
    "tag_mentioned": (
        "`<tool_call>` before what cannot be a name (prose, JSON, a quote) or before `<think>`, `</think>` "
        "or another `<tool_call>` is a mention: the text stays what it was, and later calls count. vLLM "
        "ends the reasoning there and loses the call that follows."
    ),
    "undeclared_tool": "A tool that was not offered is reported like any other. vLLM drops its call.",
    "undeclared_parameter": "Its value is JSON if it is JSON, else a string.",
    "no_name": "No call; what it says is dropped.",
    "no_key_opener": (
        "`findport</arg_key>` is taken apart if a declared tool has a parameter so named, or at the blank "
        "between two words; otherwise there is no name."
    ),
    "no_value_opener": "Text between `</arg_key>` and `</arg_value>` is the value.",
    "key_without_value": "The key is dropped.",
    "value_without_key": "The value is dropped.",
    "duplicate_key": "Both stand in the arguments as written; JSON readers take the last.",
    "no_call_closer": "The next `<tool_call>` closes the call before it.",
    "truncated_name": "No call: half a name may be another tool's name.",
    "truncated_call": (
        "The call stays; its arguments end where the text ends and are never closed, so that nobody can "
        "take them for whole. vLLM answers `{}` if it does not stream; SGLang puts the markup into the "
        "content."
    ),
    "truncated_marker": (
        "The beginning of a marker at the end of the text is text; between a call's tags it is nothing."
    ),
    "role_marker": "Ends the message as its end does, and is never text, except inside a value.",
    "thinking_reopened": "`<think>` in content opens reasoning; in reasoning it means nothing.",
    "stray_tag": "A tag where it has no meaning is dropped.",
    "parted_marker": (
        "A marker that only arises because another one between its halves is dropped loses its last character."
    ),
    "blank_content": (
        "Blank text beside calls (before the first one when nothing was said, between, behind) is dropped; "
        "any other text is verbatim. vLLM drops text behind the last call unless it streams."
    ),
}


def call_text(name: str, arguments: Iterable[tuple[str, str]]) -> str:
    """A call as the format writes it, whether or not it can be read back."""
    pairs = (f"<arg_key>{key}</arg_key><arg_value>{value}</arg_value>" for key, value in arguments)
    return f"<tool_call>{name}{''.join(pairs)}</tool_call>"


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back equal as JSON, and equal as text if `json.dumps(…, ensure_ascii=False)` wrote them.
    Raises UnrenderableError where another message would come back.
    """
    if message.role != "assistant":
        raise UnrenderableError(f"a model writes no {message.role} messages")
    content, declared = message.content or "", {tool.name: tool for tool in tools}
    if message.tool_calls and content and content.isspace():
        raise UnrenderableError("content before a call is blank")
    calls = [_call(call, declared.get(call.name)) for call in message.tool_calls]
    return whole_characters(
        _reasoning(message.reasoning or "", thinking_open) + _clean(content, "content") + "".join(calls)
    )


def _reasoning(text: str, thinking_open: bool) -> str:
    if thinking_open:
        return f"{_clean(text, 'reasoning')}</think>"
    return f"<think>{_clean(text, 'reasoning')}</think>" if text else ""


def _clean(text: str, what: str) -> str:
    return without_markers(text, MARKERS, what)


def _call(call: ToolCall, tool: ToolSpec | None) -> str:
    if not NAME.fullmatch(call.name):
        raise UnrenderableError(f"{call.name!r} cannot be read as a tool's name")
    try:
        arguments = members(call.arguments_text)
    except JsonProblem as error:
        raise UnrenderableError(f"arguments of {call.name}: {error}") from error
    return call_text(
        call.name,
        [(_clean_key(key), _value(key, value, written, tool)) for key, value, written in arguments],
    )


def _clean_key(key: str) -> str:
    if key != key.strip():
        raise UnrenderableError(f"the blanks around the key {key!r} would be stripped")
    return _clean(key, "a key")


def _value(key: str, value: object, written: str, tool: ToolSpec | None) -> str:
    """The bare text of a value, if it reads back as the same value."""
    bare, expected = (value, quoted(value)) if isinstance(value, str) else (written, written)
    if VALUE_END in bare:
        raise UnrenderableError(f"the value of {key} holds {VALUE_END}")
    if spelled(bare, parameter_types(tool, key)) != expected:
        raise UnrenderableError(f"the value of {key} would be read as another type: {bare[:80]!r}")
    return bare


GLM47 = Family(name="glm47", special=SPECIAL, markers=MARKERS, parser=GlmReader, render=render)
