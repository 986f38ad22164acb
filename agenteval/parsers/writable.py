"""What no family's format can carry: its own markers in words, half characters, calls without a name or an object."""

from __future__ import annotations

from collections.abc import Iterable

from agenteval.canonical import JsonProblem, parse_json
from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers.names import NAME


def words_of(message: Message, markers: Iterable[str]) -> tuple[str, str]:
    """Content and reasoning of a message; raises UnrenderableError if it is not the assistant's, or they cannot be
    written."""
    if message.role != "assistant":
        raise UnrenderableError(f"a model writes no {message.role} messages")
    content = message.content or ""
    if message.tool_calls and content and content.isspace():
        raise UnrenderableError("content before a call is blank")
    markers = tuple(markers)
    return without_markers(content, markers, "content"), without_markers(message.reasoning or "", markers, "reasoning")


def without_markers(text: str, markers: Iterable[str], what: str) -> str:
    """The text itself; raises UnrenderableError if a marker stands in it."""
    for marker in markers:
        if marker in text:
            raise UnrenderableError(f"{what} holds {marker}")
    return text


def whole_characters(text: str) -> str:
    """The text itself; raises UnrenderableError if it holds half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnrenderableError("half a surrogate pair is no text") from error
    return text


def name_of(call: ToolCall) -> str:
    """A call's name; raises UnrenderableError if it could not be told from prose."""
    if not NAME.fullmatch(call.name):
        raise UnrenderableError(f"{call.name!r} cannot be read as a tool's name")
    return call.name


def object_of(call: ToolCall) -> str:
    """A call's arguments as they are written; raises UnrenderableError if they are no JSON object."""
    try:
        arguments = parse_json(call.arguments_text)
    except JsonProblem as error:
        raise UnrenderableError(f"arguments of {call.name}: {error}") from error
    if not isinstance(arguments, dict):
        raise UnrenderableError(f"arguments of {call.name}: not an object")
    return call.arguments_text.strip()
