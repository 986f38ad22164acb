"""Policies that several families share, by the same names. Each family lists its own; what is special to one stands
there."""

from __future__ import annotations

from agenteval.parsers.policy import Policy, only

# --- reasoning ----------------------------------------------------------------------------------------------------

CALL_IN_THINKING = Policy(
    "call_in_thinking",
    "A call begins while reasoning is open.",
    {
        "call": "It is a call, and the reasoning ends there.",
        "reasoning": "It stays reasoning, without its tags.",
    },
    "call",
    {
        "vllm": "call",
        "sglang": "call",
        "renderers": "call",
        "llamacpp": "reasoning",
        "template": "replays the call behind the closer",
    },
)
LATE_CLOSER = Policy(
    "late_closer",
    "A call was written inside open reasoning, and text follows it.",
    {
        "content": "The call ended the reasoning: what follows is content, and a later closer is dropped.",
        "reasoning": "Reasoning goes on behind the call until its closer.",
    },
    "content",
    {"template": "replays reasoning, closer, content and calls in this order, wherever they stood"},
)
UNCLOSED_THINKING = Policy(
    "unclosed_thinking",
    "The reply ends inside reasoning, without a closer and without a call.",
    {
        "reasoning": "All of it is reasoning, streamed as it comes.",
        "content": "It was the answer: content. Reasoning is held back until its closer or a call comes.",
    },
    "reasoning",
    {
        "vllm": "reasoning (vllm#48645)",
        "sglang": "reasoning (sglang#37645: 700 of 119k production replies)",
        "template": "replays it closed",
    },
)
THINKING_REOPENED = only(
    "thinking_reopened",
    "Reasoning is opened a second time.",
    "opens",
    "In content the tag opens reasoning; inside reasoning it means nothing.",
    template="replays one block of reasoning, in front of everything",
)
OPENER_MENTIONED = only(
    "opener_mentioned",
    "A call's opening tag stands before what cannot be a call: prose, a quote, another tag.",
    "text",
    "It is a mention: the text stays what it was, without the tag, and later calls count.",
    vllm="in reasoning it ends the reasoning, and the call that follows is lost",
    renderers="as vLLM",
    sglang="kept in the whole text, not under most cuts",
    llamacpp="kept",
)

# --- calls --------------------------------------------------------------------------------------------------------

UNDECLARED_TOOL = Policy(
    "undeclared_tool",
    "A call names a tool that was not offered.",
    {
        "report": "It is reported like any other call.",
        "drop": "It is dropped, arguments and all.",
        "text": "It is no call: its words stay text, without their tags.",
    },
    "report",
    {
        "vllm": "drop",
        "sglang": "report in a stream",
        "renderers": "report, flagged",
        "llamacpp": "raises",
        "template": "replays any name",
    },
)
NO_NAME = only(
    "no_name",
    "A call has no name.",
    "drop",
    "No call; what it says is dropped.",
)
TRUNCATED_NAME = only(
    "truncated_name",
    "The reply breaks off before a call's name is complete.",
    "drop",
    "No call: half a name may be another tool's name.",
    vllm="up to 0.20 the half name was streamed (vllm#39757)",
)
TRUNCATED_CALL = Policy(
    "truncated_call",
    "The reply breaks off inside a call.",
    {
        "open": "The call stays; its arguments end where the text ends and are never closed, so that nobody can take "
        "them for whole.",
        "drop": "No call. Nothing of a call goes out before it is complete.",
    },
    "open",
    {
        "vllm": "whole text: arguments {}; stream: open",
        "sglang": "whole text: the markup becomes content; stream: open",
        "llamacpp": "open",
        "template": "raises on replayed arguments that are no object (GLM, Qwen3-Coder), or quotes them once more "
        "(gpt-oss, DeepSeek-V3.1); vLLM puts {} there before it, SGLang answers 400",
    },
)
TRUNCATED_MARKER = only(
    "truncated_marker",
    "The reply ends with the beginning of a marker.",
    "text",
    "It is text; between a call's tags it is nothing.",
    vllm="content in one mode, nothing in the other (vllm#47137)",
)
MISSING_CLOSER = only(
    "missing_closer",
    "A call is not closed before the next one begins.",
    "next",
    "The next opener closes it.",
)
DUPLICATE_KEY = Policy(
    "duplicate_key",
    "A call gives one argument twice.",
    {
        "as_written": "Both stand in the arguments; JSON readers take the last.",
        "last": "Only the last stands. Arguments go out when the call is complete.",
    },
    "as_written",
    {
        "vllm": "last in the whole text; broken JSON in a stream",
        "sglang": "as_written in a stream",
        "template": "last: servers hand it an object",
    },
)
DOUBLE_ENCODED = Policy(
    "double_encoded",
    "Arguments, or an argument that must not be text, are JSON inside a JSON string.",
    {
        "as_written": "The string stays one, for the schema's verdict to name.",
        "unwrap": "What is inside counts, if it is JSON of a type that is allowed there.",
    },
    "as_written",
    {"template": "raises on text (GLM, Qwen3-Coder), or quotes it once more (gpt-oss, DeepSeek-V3.1)"},
)
EMPTY_ARGUMENTS = Policy(
    "empty_arguments",
    "A complete call has no arguments, blank ones, or null.",
    {
        "object": "They are completed to {}.",
        "as_written": "None and blank ones are completed to {}; null stays.",
    },
    "object",
    {
        "template": "null: as none (GLM-4.6), raises (GLM-4.7, Qwen3-Coder), prints null (gpt-oss, DeepSeek-V3.1)",
    },
)

# --- calls as elements --------------------------------------------------------------------------------------------

MISSING_OPENER = Policy(
    "missing_opener",
    "A call's own tag stands outside the tags that should be around calls.",
    {
        "call": "It is a call if the tool was offered; else the tag was only mentioned.",
        "text": "It is text.",
    },
    "call",
    {"vllm": "call; prose that names the tag silences or cuts the stream (vllm#40861, vllm#30439)"},
)
TAG_WITHOUT_NAME = only(
    "no_name",
    "The opening tag of a call or of an argument holds no name.",
    "text",
    "A call's tag was only mentioned: the text stays what it was. An argument's is dropped, and its value with it.",
)
MISSING_VALUE_CLOSER = Policy(
    "missing_value_closer",
    "A value is not closed before the next argument, or the call's end.",
    {
        "text": "Nothing but its closer ends a value: other tags are its text.",
        "next": "The next argument's tag, or the call's closer, ends it, and may not be quoted in a value.",
    },
    "text",
)
UNDECLARED_PARAMETER = only(
    "undeclared_parameter",
    "An argument is not in the tool's schema.",
    "json",
    "Its value is JSON if it is JSON, else a string.",
)
PYTHON_LITERALS = Policy(
    "python_literals",
    "A value is `True`, `False` or `None`.",
    {
        "json": "It is true, false or null where the schema names that type; elsewhere it is text.",
        "as_written": "It is text.",
    },
    "json",
    {"template": "writes booleans and null so"},
)

# --- calls as JSON ------------------------------------------------------------------------------------------------

OBJECT_WITHOUT_NAME = only(
    "object_without_name",
    "A call's object is complete, or broken, without a name.",
    "text",
    "It is no call: the text stays what it was, without its tags.",
)
ARGUMENTS_FIRST = only(
    "arguments_first",
    "The arguments come before the name.",
    "wait",
    "They wait for the name, and then go out at once.",
)
PARAMETERS_ALIAS = only(
    "parameters_alias",
    "The arguments are called `parameters`, or are there twice.",
    "first",
    "`parameters` is read like `arguments`; the first of them counts.",
)
BROKEN_JSON = only(
    "broken_json",
    "Behind its name, an object holds what is no JSON.",
    "as_written",
    "Arguments go through as they are written, up to a `<` outside strings. Unbalanced at the closer, they are never "
    "closed; a missing outer brace alone does no harm.",
)
MARKER_IN_STRING = only(
    "marker_in_string",
    "A marker stands inside a JSON string.",
    "text",
    "It is the string's text. A string whose closing quote is missing swallows what follows.",
    vllm="a quoted closer ends the call",
    sglang="a quoted closer ends the call",
)
SEVERAL_OBJECTS = only(
    "several_objects",
    "Several objects stand between one pair of tags.",
    "calls",
    "Each is a call; one without a name ends the row.",
)
BARE_OBJECT = only(
    "bare_object",
    "A reply begins with an object that may be a call or an answer.",
    "first_key",
    "It may be a call if its first key is one of a call's (name, type, id, parameters, arguments); then nothing of it "
    "is said before its name. Objects further on are text.",
)
TEXT_BEHIND_JSON = only(
    "text_behind_json",
    "There is text between a call's JSON and its closer: a brace too many, words.",
    "drop",
    "It is dropped.",
    vllm="a brace too many breaks the arguments under speculation (vllm#53638)",
)

BAD_HEAD = only(
    "bad_head",
    "What stands before a call's arguments holds no name.",
    "text",
    "It is no call: the text stays what it was, without its tags.",
)
MISSING_SEPARATOR = only(
    "missing_separator",
    "The token between a call's name and its arguments is missing.",
    "call",
    "Arguments begin with `{` or a quote; a name that the closer follows is a call without arguments.",
)

# --- content ------------------------------------------------------------------------------------------------------

TEXT_AFTER_CALL = Policy(
    "text_after_call",
    "There is text behind a call.",
    {"content": "It is content.", "drop": "It is dropped, also between calls."},
    "content",
    {
        "vllm": "drop in the whole text, content in a stream",
        "sglang": "content",
        "llamacpp": "raises",
        "template": "replays content in front of the calls",
    },
)
BLANK_CONTENT = Policy(
    "blank_content",
    "There is blank text beside calls: before the first one when nothing was said, between, behind.",
    {
        "drop": "It is dropped; any other text is verbatim. Blank text waits until it is known what follows.",
        "keep": "It is content like any other.",
    },
    "drop",
    {
        "sglang": "an empty content chunk before calls (sglang#29441)",
        "template": "GLM's drops blank content, and prints null as the word None",
    },
)
FRAMING_NEWLINES = Policy(
    "framing_newlines",
    "The format writes newlines around reasoning, answers and calls.",
    {
        "drop": "As many as the format writes are no part of the text; more are.",
        "keep": "All newlines are text.",
    },
    "drop",
    {"template": "drop, and any further blanks with them"},
)
ROLE_MARKER = only(
    "role_marker",
    "The marker of a role or of the text's end stands in the reply.",
    "ends",
    "It ends the message as its end does, and is never text, except inside a value.",
    vllm="dropped in the whole text, leaked in a stream",
)
STRAY_TAG = only(
    "stray_tag",
    "A tag stands where it has no meaning.",
    "drop",
    "The tag is dropped.",
)
PARTED_MARKER = only(
    "parted_marker",
    "Dropping a marker joins the two halves of another one.",
    "drop",
    "The marker that arises so loses its last character.",
)

# --- rows of them -------------------------------------------------------------------------------------------------

OF_REASONING = (CALL_IN_THINKING, LATE_CLOSER, UNCLOSED_THINKING, THINKING_REOPENED)
OF_CALLS = (OPENER_MENTIONED, UNDECLARED_TOOL, MISSING_CLOSER, TRUNCATED_NAME, TRUNCATED_CALL)
OF_BARE_ARGUMENTS = (UNDECLARED_PARAMETER, DUPLICATE_KEY, DOUBLE_ENCODED)
OF_ELEMENTS = (*OF_BARE_ARGUMENTS, MISSING_OPENER, TAG_WITHOUT_NAME, MISSING_VALUE_CLOSER)
OF_JSON = (DUPLICATE_KEY, DOUBLE_ENCODED, EMPTY_ARGUMENTS, BROKEN_JSON, MARKER_IN_STRING, TEXT_BEHIND_JSON)
OF_OBJECTS = (*OF_JSON, OBJECT_WITHOUT_NAME, ARGUMENTS_FIRST, PARAMETERS_ALIAS, SEVERAL_OBJECTS)
OF_MARKED_JSON = (*OF_JSON, BAD_HEAD, MISSING_SEPARATOR)
OF_WORDS = (ROLE_MARKER, STRAY_TAG, PARTED_MARKER, TRUNCATED_MARKER, TEXT_AFTER_CALL, BLANK_CONTENT)
