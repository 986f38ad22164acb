"""Generated replies with everything in them that has ever broken a parser."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from agenteval.errors import UnrenderableError
from agenteval.messages import Message, ToolCall, ToolSpec
from agenteval.parsers import Family
from tests.parsers.tools import TOOLS

AWKWARD = (
    *("", " ", "\n", "\r\n", "\t", " \n\n ", "0", "00417", "42", "-1.50", "1e400", "true", "null", "None", "NaN"),
    *('"', '"quoted"', "'", "\\", "\\n", "\\u00e9", "{", "}", '{"a": [1, "</b>"]}', "[1,  2]", "[", ",", ": "),
    *("<", ">", "</", "<|", "|>", "<x>", "&lt;", "`", "é", "e\u0301", "😀", "👩‍👩‍👧", "漢字", "\u2028", "\x00", "\x7f"),
    *("the", " quick ", "def f():\n    return 1\n", "Oslo"),
)
NUMBERS = ("0", "-0", "42", "123456789012345678901234567890", "0.10", "-1.50E+3", "1e400", "2.0")
VALUES = ("true", "false", "null", "[]", "{}", "[1,  2]", '{"a":{"b":[null,"x"]},"a":2}', '["</tool", "\\""]')


def fragments(family: Family) -> list[str]:
    """Beginnings and ends of the family's markers and tags, whole ones, and everything awkward."""
    markers = (*family.markers, *family.tags)
    halves = [part for marker in markers for part in (marker[: len(marker) // 2], marker[-3:], marker[1:])]
    cuts = [marker[:-1] for marker in markers]
    return [*AWKWARD, *markers, *halves, *cuts]


def snippets(family: Family) -> st.SearchStrategy[str]:
    pieces = st.sampled_from(fragments(family)) | st.text(max_size=3)
    return st.lists(pieces, max_size=5).map("".join)


def prose(family: Family) -> st.SearchStrategy[str]:
    """Text without a whole marker."""
    markers = (*family.markers, *family.tags)
    return snippets(family).filter(lambda text: not any(marker in text for marker in markers))


@st.composite
def calls(draw: st.DrawFn, family: Family, tools: Sequence[ToolSpec]) -> ToolCall:
    """A call with arguments in any order, some twice, some undeclared, all spelled by hand."""
    tool = draw(st.sampled_from(tools))
    declared: dict[str, object] = dict(tool.parameters["properties"])
    keys = draw(st.lists(st.sampled_from([*declared, "extra", "ключ", "a<b"]), max_size=4)) if declared else []
    texts = snippets(family).map(lambda text: json.dumps(text, ensure_ascii=False))
    others = st.sampled_from((*NUMBERS, *VALUES))
    kinds = [texts if declared.get(key) == {"type": "string"} else others | texts for key in keys]
    pairs = [(json.dumps(key, ensure_ascii=False), draw(kind)) for key, kind in zip(keys, kinds, strict=True)]
    return ToolCall("", tool.name, "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}")


def replies(family: Family, thinking: bool) -> st.SearchStrategy[Message]:
    """Messages that the family can express: with and without reasoning, content and up to five calls."""
    return st.builds(
        Message,
        st.just("assistant"),
        content=prose(family),
        reasoning=st.just("") | prose(family),
        tool_calls=st.lists(calls(family, TOOLS), max_size=5).map(tuple),
    ).filter(lambda message: can_be_written(family, message, thinking))


def can_be_written(family: Family, message: Message, thinking: bool) -> bool:
    try:
        family.render(message, TOOLS, thinking)
    except UnrenderableError:
        return False
    return True


def choices(family: Family) -> st.SearchStrategy[dict[str, str]]:
    """Any option for each policy that has several."""
    several = {policy.name: policy for policy in family.policies if len(policy.options) > 1}
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(sorted(policy.options)) for name, policy in several.items()}
    )
