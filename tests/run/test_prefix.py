"""Who is charged with a changed prefix."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agenteval.messages import Message, ToolCall, Transcript
from agenteval.run import Accountant
from agenteval.run.prefix import Prefixes, Reused
from tests.transcripts import READ

SYSTEM = Message("system", "You are a coding agent.")
ASK, MORE = Message("user", "Read the first file."), Message("user", "And now?")


def said(path: str) -> Message:
    return Message("assistant", None, None, (ToolCall(f"c-{path}", "read_file", f'{{"path": "{path}"}}'),))


def result(path: str) -> Message:
    return Message("tool", f"content of {path} " * 20, tool_call_id=f"c-{path}")


OLD: Transcript = (SYSTEM, ASK, said("a"), result("a"), Message("user", "The second."))
WENT, EXPECTED = (said("wrong"), result("wrong")), (said("b"), result("b"))


def asked(first: Transcript, second: Transcript, *, golden: bool) -> Reused:
    """The request after one that was answered wrongly: its view is `second` of the history, as before it `first`."""
    prefixes = Prefixes(Accountant("glm47").reuse("off"))
    prefixes.asked(OLD, first, first, (READ,))
    prefixes.heard(WENT[0])
    transcript = (*OLD, *(EXPECTED if golden else (WENT[0], result("wrong"))), MORE)
    return prefixes.asked(transcript, second, second, (READ,))


def masked(history: Transcript) -> Transcript:
    """With the first result cleared."""
    return tuple(replace(item, content="[cleared]") if item == result("a") else item for item in history)


GOLDEN = (*OLD, *EXPECTED, MORE)
LIVE = (*OLD, *WENT, MORE)


@pytest.mark.parametrize(
    ("first", "second", "golden", "breaker"),
    [
        pytest.param(OLD, LIVE, False, None, id="live history goes on"),
        pytest.param(OLD, GOLDEN, True, "history", id="golden history puts another reply there"),
        pytest.param(OLD, masked(LIVE), False, "policy", id="a policy clears something, live"),
        pytest.param(OLD, masked(GOLDEN), True, "policy", id="a policy clears something before the histories part"),
        pytest.param(OLD, (SYSTEM, *GOLDEN[4:]), True, "policy", id="a window moves before the histories part"),
        pytest.param((SYSTEM, *OLD[4:]), (SYSTEM, *GOLDEN[4:]), True, "history", id="a window that stays where it was"),
        pytest.param(masked(OLD), masked(GOLDEN), True, "history", id="what was cleared before stays so"),
    ],
)
def test_the_first_change_is_charged_to_who_made_it(
    first: Transcript, second: Transcript, golden: bool, breaker: str | None
) -> None:
    assert asked(first, second, golden=golden).broken_by == breaker
