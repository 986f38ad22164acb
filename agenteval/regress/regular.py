"""What a text asks of policies: so that making a failure's input small makes no other fault of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agenteval.canonical import JsonProblem, parse_json
from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall
from agenteval.parsers import Family, ParsedMessage
from agenteval.parsers.arguments import declares
from agenteval.regress.subject import Question


@dataclass(frozen=True, slots=True)
class Regularity:
    """`asked`: the policies under some option of which a text means something else than by default; `whole`: it has
    just the markers and tags that its meaning is written with, and calls declared tools with declared arguments."""

    asked: frozenset[str]
    whole: bool

    def within(self, other: Regularity) -> bool:
        """Whether nothing is open or missing here that was not there."""
        return self.asked <= other.asked and (self.whole or not other.whole)


def regularity(family: Family, question: Question, text: str) -> Regularity:
    """Of a text, as our own parser reads it."""

    def read(choices: dict[str, str]) -> ParsedMessage:
        return family.parse(text, question.tools, question.thinking, choices)

    meaning = read({})
    asked = frozenset(
        policy.name
        for policy in family.policies
        if any(read({policy.name: option}) != meaning for option in policy.options if option != policy.default)
    )
    whole = _is_declared(question, meaning) and _has_its_markers(family, question, text, meaning)
    return Regularity(asked, whole)


def _is_declared(question: Question, meaning: ParsedMessage) -> bool:
    tools = {tool.name: tool for tool in question.tools}
    return all(
        call.name in tools and all(declares(tools[call.name], key) for key in _keys(call.arguments_text))
        for call in meaning.calls
    )


def _keys(arguments_text: str) -> Iterable[str]:
    """The arguments of a call; none of what is no JSON object: what it means is a policy's to say."""
    try:
        arguments = parse_json(arguments_text)
    except JsonProblem:
        return ()
    return arguments if isinstance(arguments, dict) else ()


def _has_its_markers(family: Family, question: Question, text: str, meaning: ParsedMessage) -> bool:
    calls = tuple(ToolCall("", call.name, call.arguments_text) for call in meaning.calls)
    message = Message("assistant", meaning.content, meaning.reasoning or None, calls)
    try:
        written = family.render(message, question.tools, question.thinking)
    except UnrenderableError:
        return False
    return all(text.count(marker) == written.count(marker) for marker in (*family.markers, *family.tags))
