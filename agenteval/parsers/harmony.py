"""gpt-oss: the harmony format, what these models write, and what it means.

A reply is a row of messages: `<|start|>` author `<|channel|>` channel, content type `<|message|>` body, and a
terminator: `<|end|>` (more follows), `<|call|>` (a call, which stops the engine), `<|return|>` (done, which stops it
too). The prompt ends with `<|start|>assistant`, so a reply begins with the rest of its first header. Channels:
`analysis` is reasoning; `commentary` with a recipient, ` to=functions.NAME` in the channel's part or in the author's,
is a call; `commentary` without one is a preamble, `final` the answer: both are content.

Arguments are JSON text, passed on verbatim while they are written; nothing but the beginning of a marker is held
back. A name comes when its header is complete.

A model makes one call a reply, because `<|call|>` stops its engine. Several calls are written as consecutive
commentary messages, and read back as such; that is also what the prompt shows of parallel calls. What ambiguous and
malformed text means is told in `POLICIES`.

Special strings are tokens, which a model never writes letter by letter. As text they cannot be told from the tokens:
`render` refuses them in words, and spells them `\\u003c|end|>` in arguments, which is the same JSON.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenteval.canonical import JsonProblem, parse_json
from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers.family import Family
from agenteval.parsers.harmony_header import FUNCTIONS, NAME
from agenteval.parsers.harmony_reader import MARKERS, HarmonyReader
from agenteval.parsers.writable import whole_characters, without_markers

POLICIES: dict[str, str] = {
    "recipient_place": "A recipient counts in the author's part and in the channel's; named twice, the last counts.",
    "content_type": (
        "`<|constrain|>json` may lack its blank, its marker (` json`) or everything. It is never a recipient; the "
        "harmony libraries read `final <|constrain|>json` as one."
    ),
    "call_on_any_channel": "A recipient that is a tool makes a call on analysis, final or no channel, too.",
    "bare_recipient": "`to=NAME` without `functions.` is a call if NAME was offered.",
    "undeclared_tool": "`to=functions.NAME` is reported like any other call, offered or not.",
    "other_recipient": (
        "`to=assistant`, `to=user` and whatever else is no tool (`python`, `browser.search`: built-in tools, which "
        "nobody here offers) says nothing: the text is what its channel says."
    ),
    "unknown_channel": "Content, as a message without a channel is.",
    "repeated_marker": (
        "A second `<|channel|>` goes on with the header, and the last channel named counts; `<|message|>` and "
        "`<|constrain|>` in a body are dropped."
    ),
    "no_start": (
        "`<|channel|>` in a body ends that message and begins the next one's header; between messages `assistant` "
        "and ` to=NAME` may stand without `<|start|>`, and a reply may repeat the prompt's."
    ),
    "no_message": (
        "A header that goes over into text has no `<|message|>`: what does not fit the header is the body, of the "
        "channel named. vLLM returns the raw markup as content."
    ),
    "call_without_message": (
        "It is a call if the text begins with `{`; other text there is reasoning, and the call begins with a "
        "`<|message|>` that still comes."
    ),
    "call_without_body": "`<|call|>` right behind a recipient is a call with `{}`.",
    "empty_arguments": "Blank arguments that a marker ends are completed to `{}`; where the text just ends they stay.",
    "no_terminator": "A body may just end: engines strip the stop token.",
    "text_between": "Text outside messages is content. Blank text there is dropped, and so are the author's own words.",
    "no_markup": "A reply without any marker is content.",
    "several_messages": "Texts of one kind are joined as they are, with nothing between them.",
    "other_author": "A message of another author (`<|start|>user`, a tool's result) ends the reply before it.",
    "after_return": "Nothing behind `<|return|>` counts.",
    "truncated_header": "Says nothing, and is no call: half a name may be another tool's name.",
    "truncated_call": "Its arguments end where the text ends and are never closed.",
    "truncated_marker": "The beginning of a marker at the end of the text is text; in a header it is nothing.",
    "parted_marker": (
        "A marker that only arises because another one between its halves is dropped loses its last character."
    ),
    "blank_content": "Blank text beside calls, when nothing was said, is dropped; any other text is verbatim.",
}

NEXT = "<|start|>assistant"
"""What stands between two messages of a reply, and at the end of a prompt."""


def spoken(channel: str, text: str) -> str:
    """A message of the assistant behind `NEXT`, without its terminator."""
    return f"<|channel|>{channel}<|message|>{text}"


def render(message: Message, tools: Sequence[ToolSpec], thinking_open: bool) -> str:
    """What the model would have written behind the generation prompt: the parser's inverse.

    The last message has no terminator: it is the stop token. Raises UnrenderableError where another message would
    come back.
    """
    if message.role != "assistant":
        raise UnrenderableError(f"a model writes no {message.role} messages")
    content = without_markers(message.content or "", MARKERS, "content")
    reasoning = without_markers(message.reasoning or "", MARKERS, "reasoning")
    if message.tool_calls and content and content.isspace():
        raise UnrenderableError("content before a call is blank")
    said = [spoken("analysis", reasoning)] if reasoning else []
    if content or not message.tool_calls:
        said.append(spoken("commentary" if message.tool_calls else "final", content))
    calls = [_call_text(_name(call), _arguments(call)) for call in message.tool_calls]
    return whole_characters(f"<|end|>{NEXT}".join([*said, f"<|call|>{NEXT}".join(calls)] if calls else said))


def _call_text(name: str, arguments: str) -> str:
    """A call behind `NEXT`, without its terminator."""
    return f"<|channel|>commentary to={FUNCTIONS}{name} <|constrain|>json<|message|>{arguments}"


def _name(call: ToolCall) -> str:
    if not NAME.fullmatch(call.name):
        raise UnrenderableError(f"{call.name!r} cannot be read as a tool's name")
    return call.name


def _arguments(call: ToolCall) -> str:
    try:
        arguments = parse_json(call.arguments_text)
    except JsonProblem as error:
        raise UnrenderableError(f"arguments of {call.name}: {error}") from error
    if not isinstance(arguments, dict):
        raise UnrenderableError(f"arguments of {call.name}: not an object")
    return unmarked(call.arguments_text.strip())


def unmarked(arguments: str) -> str:
    """The same JSON without special strings: in JSON a `<` only stands in strings, where it can be escaped."""
    for marker in MARKERS:
        arguments = arguments.replace(marker, f"\\u003c{marker[1:]}")
    return arguments


HARMONY = Family(name="harmony", special=MARKERS, markers=MARKERS, parser=HarmonyReader, render=render)
