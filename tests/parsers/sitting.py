"""The exam of `agenteval.regress`, sat by our families on texts that a test makes up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from agenteval.messages import Message
from agenteval.parsers import CallDelta, Delta, Family, ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.cuts import Thoroughness
from agenteval.regress.exam import Exam
from agenteval.regress.own import Own
from agenteval.regress.subject import Question
from tests.parsers.tools import TOOLS

DEFAULTS: Mapping[str, str] = {}


def examined(
    family: Family,
    text: str,
    thinking: bool = False,
    *,
    choices: Mapping[str, str] = DEFAULTS,
    truncated: bool = False,
    thoroughness: Thoroughness = "all",
) -> ParsedMessage:
    """What a text means, having passed the exam. `truncated`: cut off at every place, too."""
    question, own = Question(TOOLS, thinking, choices), Own(family)
    meant = own.whole(question, text)
    policy = None if truncated else "made up"
    case = Case(family.name, "made-up", "made up", (), TOOLS, text, meant, thinking, policy)
    result = Exam(own, thoroughness).judged(case, question, {None: meant})
    assert result.failures == ()
    return meant


def feeds(family: Family, pieces: Iterable[str], thinking: bool = False) -> list[list[Delta]]:
    """The deltas of each piece, those of the flush last."""
    parser = family.parser(TOOLS, thinking)
    return [*(parser.feed(piece) for piece in pieces), parser.flush()]


def spoken(deltas: Iterable[Delta]) -> str:
    """All visible text in the order in which it came, for looking at what is out by when."""
    return "".join(delta.arguments if isinstance(delta, CallDelta) else delta.text for delta in deltas)


def as_written(text: str) -> Any:
    """A JSON value in which order, repeated keys, and the spelling of numbers count."""
    return json.loads(
        text,
        object_pairs_hook=lambda pairs: ("object", pairs),
        parse_int=lambda digits: ("number", digits),
        parse_float=lambda digits: ("number", digits),
    )


def check_same(parsed: ParsedMessage, message: Message) -> None:
    """What was parsed is what was rendered."""
    assert parsed.reasoning == (message.reasoning or "")
    assert parsed.content == (message.content or "")
    assert [call.name for call in parsed.calls] == [call.name for call in message.tool_calls]
    for ours, theirs in zip(parsed.calls, message.tool_calls, strict=True):
        assert repr(as_written(ours.arguments_text)) == repr(as_written(theirs.arguments_text))
