"""A Python function as a subject: `module:function`, found from the present folder.

`function(pieces, tools, thinking)` gets a reply's text as a list of pieces, the tools as clients send them, and whether
the prompt ended inside reasoning; it returns a list of deltas for each piece and one more for the end, a delta being
`{"reasoning": …}`, `{"content": …}` or `{"index": …, "name": …, "arguments": …}`.
"""

from __future__ import annotations

import importlib
import pathlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from agenteval.errors import UsageError
from agenteval.messages import tool_object
from agenteval.parsers import Family, ParsedMessage
from agenteval.regress.pipes import DeltaLine, delta_of
from agenteval.regress.subject import Question, Stream, SubjectError, Traits

Function: TypeAlias = Callable[[list[str], list[dict[str, Any]], bool], Any]


def load_function(name: str) -> Function:
    """Raises UsageError if there is no such function."""
    module, _, function = name.partition(":")
    here = str(pathlib.Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), function, None)
    except ImportError as error:
        raise UsageError(f"{name}: neither an engine nor a module that can be imported ({error})") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit, too
        raise UsageError(f"{name}: importing {module} fails: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise UsageError(f"{name}: the module {module} has no function {function}")
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A function in this process: it can raise, but what hangs it hangs us."""

    name: str
    family: Family
    function: Function
    traits: Traits

    @property
    def version(self) -> str | None:
        return None

    def whole(self, question: Question, text: str) -> ParsedMessage:
        return self.stream(question, [text]).message

    def stream(self, question: Question, pieces: Sequence[str]) -> Stream:
        tools = [tool_object(tool) for tool in question.tools]
        try:
            said = self.function(list(pieces), tools, question.thinking)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit, too
            raise SubjectError("raised", "".join(traceback.format_exception(error)[-3:])) from error
        try:
            feeds = msgspec.convert(said, list[list[DeltaLine]])
        except msgspec.ValidationError as error:
            raise SubjectError("raised", f"not what was asked for: {error}") from error
        if len(feeds) != len(pieces) + 1:
            raise SubjectError("raised", f"{len(feeds)} lists of deltas for {len(pieces)} pieces and the end")
        return Stream(tuple(tuple(map(delta_of, feed)) for feed in feeds))
