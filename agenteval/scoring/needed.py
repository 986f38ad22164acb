"""What a right turn has to say: the texts that its expected calls and answer hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from agenteval.errors import UsageError
from agenteval.match import example_of
from agenteval.script import Expectation, ExpectedCall


def needed_texts(expect: Expectation) -> tuple[str, ...]:
    """The texts in a right call's arguments and in a right answer; numbers as they are written."""
    calls = chain.from_iterable(_said(call) for call in expect.calls or ())
    answer = chain.from_iterable(expect.answer.contains) if expect.answer else ()
    return tuple(dict.fromkeys(text for text in (*calls, *answer) if text))


def _said(call: ExpectedCall) -> Iterator[str]:
    try:
        return texts_in(example_of(call.arguments))
    except UsageError:  # a matcher that anything fits: nothing is needed for it
        return iter(())


def texts_in(value: Any) -> Iterator[str]:
    """All texts and numbers in a JSON value; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(texts_in, value.values()))
    elif isinstance(value, Iterable):
        yield from chain.from_iterable(map(texts_in, value))
