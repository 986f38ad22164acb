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

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.arguments import members, parameter_types, quoted, spelled
from agenteval.parsers.family import Family
from agenteval.parsers.framing import UNFRAMED
from agenteval.parsers.glm_reader import MARKERS, VALUE_END, reader_of
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.writable import name_of, object_of, whole_characters, without_markers, words_of

SPECIAL = ("[gMASK]", "<sop>", *MARKERS)

POLICIES: tuple[Policy, ...] = (
    *policies.OF_REASONING,
    *policies.OF_CALLS,
    *policies.OF_BARE_ARGUMENTS,
    policies.NO_NAME,
    only(
        "no_key_opener",
        "A key's opening tag is missing: `findport</arg_key>`.",
        "apart",
        "It is taken apart if a declared tool has a parameter so named, or at the blank between two words; otherwise "
        "there is no name.",
    ),
    only(
        "no_value_opener",
        "A value's opening tag is missing.",
        "value",
        "Text between `</arg_key>` and `</arg_value>` is the value.",
    ),
    only("key_without_value", "A key has no value.", "drop", "The key is dropped."),
    only("value_without_key", "A value has no key.", "drop", "The value is dropped."),
    *policies.OF_WORDS,
)


def call_text(name: str, arguments: Iterable[tuple[str, str]], line: str = "") -> str:
    """A call as the format writes it, whether or not it can be read back; `line` stands between its tags."""
    pairs = (f"<arg_key>{key}</arg_key>{line}<arg_value>{value}</arg_value>{line}" for key, value in arguments)
    return f"<tool_call>{name}{line}{''.join(pairs)}</tool_call>"


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    Arguments come back equal as JSON, and equal as text if `json.dumps(…, ensure_ascii=False)` wrote them.
    Raises UnrenderableError where another message would come back.
    """
    return written(message, tools, thinking_open, line="")


def written(message: Message, tools: Sequence[ToolSpec], thinking_open: bool, line: str) -> str:
    """`render` of a GLM generation that puts `line` between tags."""
    content, reasoning = words_of(message, MARKERS)
    declared = {tool.name: tool for tool in tools}
    calls = [line + _call(call, declared.get(call.name), line) for call in message.tool_calls]
    thought = _reasoning(reasoning, thinking_open, line)
    return whole_characters(thought + (line + content if content else "") + "".join(calls))


def _reasoning(text: str, thinking_open: bool, line: str) -> str:
    if thinking_open:
        return f"{text}</think>"
    return f"{line}<think>{text}</think>" if text else ""


def _call(call: ToolCall, tool: ToolSpec | None, line: str) -> str:
    arguments = members(object_of(call))
    return call_text(
        name_of(call),
        [(_clean_key(key), _value(key, value, as_written, tool)) for key, value, as_written in arguments],
        line,
    )


def _clean_key(key: str) -> str:
    if key != key.strip():
        raise UnrenderableError(f"the blanks around the key {key!r} would be stripped")
    return without_markers(key, MARKERS, "a key")


def _value(key: str, value: object, written: str, tool: ToolSpec | None) -> str:
    """The bare text of a value, if it reads back as the same value."""
    bare, expected = (value, quoted(value)) if isinstance(value, str) else (written, written)
    if VALUE_END in bare:
        raise UnrenderableError(f"the value of {key} holds {VALUE_END}")
    if spelled(bare, parameter_types(tool, key)) != expected:
        raise UnrenderableError(f"the value of {key} would be read as another type: {bare[:80]!r}")
    return bare


GLM47 = Family(
    name="glm47",
    special=SPECIAL,
    markers=MARKERS,
    policies=POLICIES,
    reader=reader_of(UNFRAMED),
    render=render,
)
