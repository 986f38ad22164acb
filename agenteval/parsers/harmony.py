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
from dataclasses import replace

from agenteval.messages import Message, ToolSpec
from agenteval.parsers import policies
from agenteval.parsers.family import Family
from agenteval.parsers.harmony_header import FUNCTIONS
from agenteval.parsers.harmony_reader import MARKERS, HarmonyReader
from agenteval.parsers.policy import Policy, only
from agenteval.parsers.writable import name_of, object_of, whole_characters, words_of

POLICIES: tuple[Policy, ...] = (
    replace(
        policies.CALL_IN_THINKING,
        question="A call stands on the analysis channel.",
        elsewhere={
            "vllm": "call; for a while misrouted (vllm#35907, vllm#35779)",
            "template": "replays it on commentary",
        },
    ),
    only(
        "call_on_any_channel",
        "A recipient that is a tool stands on the final channel, or on none.",
        "call",
        "It is a call.",
        template="replays it on commentary",
    ),
    only(
        "recipient_place",
        "A recipient may stand in the author's part of a header or in the channel's.",
        "both",
        "It counts in both; named twice, the last counts.",
        harmony="a recipient named twice raises; 0.0.8 takes `to=NAME<|channel|>commentary` for a name with all of it",
        template="replays it in the author's part, whatever the model wrote",
    ),
    only(
        "content_type",
        "The type `<|constrain|>json` is incomplete.",
        "ignored",
        "It may lack its blank, its marker (` json`) or everything, and is never a recipient.",
        harmony="`final <|constrain|>json` is a recipient",
        template="replays ` json`, without a marker",
    ),
    only(
        "bare_recipient",
        "`to=NAME` lacks `functions.`",
        "offered",
        "It is a call if NAME was offered.",
        template="replays it with `functions.`",
    ),
    policies.UNDECLARED_TOOL,
    only(
        "other_recipient",
        "The recipient is `assistant`, `user` or whatever else is no tool (`python`, `browser.search`: built-in tools, "
        "which nobody here offers).",
        "ignored",
        "The text is what its channel says.",
    ),
    only("unknown_channel", "The channel has another name, or none.", "content", "The text is content."),
    only(
        "repeated_marker",
        "`<|channel|>`, `<|message|>` or `<|constrain|>` stands twice.",
        "last",
        "A second `<|channel|>` goes on with the header, and the last channel named counts; in a body `<|message|>` "
        "and `<|constrain|>` are dropped.",
    ),
    only(
        "missing_start",
        "A message begins without `<|start|>`.",
        "begins",
        "`<|channel|>` in a body ends that message and begins the next one's header; between messages `assistant` and "
        "` to=NAME` may stand without it, and a reply may repeat the prompt's.",
        harmony="raises",
    ),
    only(
        "header_without_message",
        "A header goes over into text without `<|message|>`.",
        "body",
        "What does not fit the header is the body, of the channel named.",
        vllm="the raw markup is content",
        harmony="raises in strict mode",
    ),
    only(
        "call_without_message",
        "A call's header goes over into text without `<|message|>`.",
        "json",
        "It is a call if the text begins with `{`; other text there is reasoning, and the call begins with a "
        "`<|message|>` that still comes.",
    ),
    only("call_without_body", "`<|call|>` stands right behind a recipient.", "empty", "A call with {}."),
    policies.DUPLICATE_KEY,
    policies.DOUBLE_ENCODED,
    replace(
        policies.EMPTY_ARGUMENTS,
        question="A call that a marker ends has no arguments, blank ones, or null (those that just end stay).",
    ),
    only(
        "missing_closer",
        "A body just ends.",
        "ends",
        "It is complete: engines strip the stop token.",
    ),
    only(
        "text_between",
        "There is text outside messages.",
        "content",
        "It is content. Blank text there is dropped, and so are the author's own words.",
        harmony="raises",
    ),
    only("no_markup", "A reply has no marker at all.", "content", "It is content."),
    only(
        "several_messages",
        "There are several messages of one kind.",
        "joined",
        "Their texts are joined as they are, with nothing between them.",
        vllm="two thoughts: with a newline between them in whole texts, with nothing in a stream",
        template="replays one of each kind; raises on content and thinking beside calls",
    ),
    only(
        "other_author",
        "A message of another author (`<|start|>user`, a tool's result) follows.",
        "ends",
        "It ends the reply before it.",
    ),
    only(
        "after_return",
        "Something follows `<|return|>`.",
        "drop",
        "Nothing there counts.",
        template="replays a message's end as `<|end|>`",
    ),
    only(
        "truncated_header",
        "The reply breaks off in a header.",
        "drop",
        "It says nothing, and is no call: half a name may be another tool's name.",
        vllm="null content with finish stop (vllm#45736, vllm#47062)",
    ),
    replace(
        policies.TRUNCATED_CALL,
        question="The reply breaks off inside a call. (One whose arguments are complete JSON is complete.)",
    ),
    only(
        "truncated_marker",
        "The reply ends with the beginning of a marker.",
        "text",
        "It is text; in a header it is nothing.",
    ),
    policies.PARTED_MARKER,
    policies.TEXT_AFTER_CALL,
    policies.BLANK_CONTENT,
)

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
    content, reasoning = words_of(message, MARKERS)
    said = [spoken("analysis", reasoning)] if reasoning else []
    if content or not message.tool_calls:
        said.append(spoken("commentary" if message.tool_calls else "final", content))
    calls = [_call_text(name_of(call), unmarked(object_of(call))) for call in message.tool_calls]
    return whole_characters(f"<|end|>{NEXT}".join([*said, f"<|call|>{NEXT}".join(calls)] if calls else said))


def _call_text(name: str, arguments: str) -> str:
    """A call behind `NEXT`, without its terminator."""
    return f"<|channel|>commentary to={FUNCTIONS}{name} <|constrain|>json<|message|>{arguments}"


def unmarked(arguments: str) -> str:
    """The same JSON without special strings: in JSON a `<` only stands in strings, where it can be escaped."""
    for marker in MARKERS:
        arguments = arguments.replace(marker, f"\\u003c{marker[1:]}")
    return arguments


HARMONY = Family(
    name="harmony",
    special=MARKERS,
    markers=MARKERS,
    policies=POLICIES,
    reader=HarmonyReader,
    render=render,
)
