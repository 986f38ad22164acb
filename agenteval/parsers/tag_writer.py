"""Writing calls as elements: the inverse of `tag_reader`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agenteval.errors import UnrenderableError
from agenteval.messages import ToolCall, ToolSpec
from agenteval.parsers.arguments import PYTHON_LITERALS, members, parameter_types, python_literal, quoted, spelled
from agenteval.parsers.writable import name_of, object_of, without_markers

_KEY = re.compile(r'[^<>\n"]{1,256}')


def bare_arguments(
    call: ToolCall, tools: Sequence[ToolSpec], closer: str, *, python: bool = False
) -> list[tuple[str, str]]:
    """Keys and bare values of a call. `python`: the format writes True, False and None.

    Raises UnrenderableError for a value that holds its own closer, or would be read as another value.
    """
    tool = next((tool for tool in tools if tool.name == name_of(call)), None)
    pairs = []
    for key, value, written in members(object_of(call)):
        types = parameter_types(tool, key)
        expected = quoted(value) if isinstance(value, str) else written
        forms = [value] if isinstance(value, str) else [written]
        if python and written in PYTHON_LITERALS:
            forms.insert(0, PYTHON_LITERALS[written])
        for bare in forms:
            if spelled(python_literal(bare, types) if python else bare, types) == expected:
                break
        else:
            raise UnrenderableError(f"the value of {key} would be read as another one: {written[:80]}")
        pairs.append((key, without_markers(bare, [closer], f"the value of {key}")))
    return pairs


def key_in(key: str) -> str:
    """A key as it stands in a tag; raises UnrenderableError if it cannot."""
    if key != key.strip() or not _KEY.fullmatch(key):
        raise UnrenderableError(f"the key {key!r} cannot stand in a tag")
    return key
