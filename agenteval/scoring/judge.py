"""Judge one reply inside a turn, and the end of a turn."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from agenteval.match import ABSENT, describe, explain
from agenteval.messages import ToolSpec, Transcript
from agenteval.outcome import Finding
from agenteval.scoring.calls import ReadCall, read_call
from agenteval.scoring.placing import Memory, place_call
from agenteval.scoring.progress import Progress
from agenteval.scoring.shown import shown_text, told_text
from agenteval.scoring.textcalls import leaked, spells_a_call
from agenteval.script import Expectation, ExpectedCall
from agenteval.stream import HARMLESS, Reply
from agenteval.template import MissingPath, get_path
from agenteval.thinking import Thinking
from agenteval.wording import either, near_miss, says


@dataclass(frozen=True, slots=True)
class StepContext:
    """Everything a verdict depends on beside the reply.

    `exempt`: tools whose calls are nobody's mistake (a policy's own). `known_ids`: call ids used before in this cell.
    `thinking_switched`: whether the request really asked for the thinking mode.
    """

    expect: Expectation
    offered: tuple[ToolSpec, ...]
    view: Transcript
    thinking: Thinking
    thinking_switched: bool
    once_right: Mapping[tuple[str, str], tuple[Any, ...]]
    known_ids: Set[str] = frozenset()
    exempt: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """`calls`: the reply's calls as read, in order; `ends_turn`: the reply makes no call."""

    findings: tuple[Finding, ...]
    progress: Progress
    calls: tuple[ReadCall, ...]
    ends_turn: bool


def judge_step(reply: Reply, context: StepContext, progress: Progress) -> Judgement:
    """Findings of one reply, and the turn's progress after it."""
    calls = _read_calls(reply, context)
    findings = [*_stream_findings(reply), *_thinking_findings(reply, context), *_leaks(reply, context.view)]
    findings += _id_findings(reply, context.known_ids)
    memory = Memory(partial(shown_text, context.view, context.offered), context.once_right)
    for call in calls:
        findings += call.findings
        if call.name not in context.exempt:
            progress, placed = place_call(call, context.expect, progress, memory)
            findings += placed
    if reply.finish_reason == "length":
        findings.append(_truncated(reply))
    elif not calls:
        findings += _silence(reply, context, progress)
    return Judgement(tuple(findings), progress, calls, ends_turn=not calls)


def _read_calls(reply: Reply, context: StepContext) -> tuple[ReadCall, ...]:
    offered = {tool.name: tool for tool in context.offered}
    cut_at = len(reply.tool_calls) - 1 if reply.finish_reason == "length" else None
    return tuple(
        read_call(call, offered, last_of_cut_reply=index == cut_at) for index, call in enumerate(reply.tool_calls)
    )


def judge_end(answer: str, world: Any, expect: Expectation) -> tuple[Finding, ...]:
    """Findings on a finished turn: its last text, and the world's state."""
    return (*_answer_findings(answer, expect), *_state_findings(world, expect))


def give_up(progress: Progress, max_steps: int) -> tuple[Finding, ...]:
    """Findings on a turn that was stopped after `max_steps` steps because the calls did not end."""
    stopped = Finding("extra_tool_call", f"still calling tools after {max_steps} steps, stopped")
    return (stopped, *(finding for call in progress.due for finding in _never_made(call, progress)))


def _stream_findings(reply: Reply) -> list[Finding]:
    findings = [
        Finding("stream_protocol", f"{defect.kind}: {defect.detail}", harmless=defect.kind in HARMLESS)
        for defect in reply.defects
    ]
    reason, calls = reply.finish_reason, bool(reply.tool_calls)
    if reason is not None and reason != "length" and calls != (reason == "tool_calls"):
        said = f"finish_reason is {reason!r}"
        did = "calls were made" if calls else "no call was made"
        findings.append(Finding("finish_reason_mismatch", f"{said} but {did}"))
    if not calls and not reply.content and reason != "length":
        detail = "only reasoning came" if reply.reasoning else "no content, no reasoning, no call"
        findings.append(Finding("empty_reply", detail))
    return findings


def _thinking_findings(reply: Reply, context: StepContext) -> list[Finding]:
    if not context.thinking_switched:
        return []
    if context.thinking == "off" and reply.reasoning:
        return [Finding("reasoning_unexpected", "thinking is off and reasoning came")]
    if context.thinking != "off" and not reply.reasoning:
        return [Finding("reasoning_missing", f"thinking is {context.thinking} and no reasoning came")]
    return []


def _leaks(reply: Reply, view: Transcript) -> list[Finding]:
    places: list[tuple[str, str | None]] = [("content", reply.content), ("reasoning", reply.reasoning)]
    for call in reply.tool_calls:
        places += (("a tool name", call.name), (f"arguments of {call.name}", call.arguments_text))
    told = cache(partial(told_text, view))
    found = ((place, leaked(text, told)) for place, text in places)
    return [Finding("leaked_markup", f"{mark} stands in {place}") for place, mark in found if mark]


def _id_findings(reply: Reply, known: Set[str]) -> list[Finding]:
    findings = []
    seen: set[str] = set()
    for call in reply.tool_calls:
        if not call.id:
            findings.append(Finding("bad_call_id", f"the call of {call.name} has no id"))
        elif call.id in known or call.id in seen:
            findings.append(Finding("bad_call_id", f"id {call.id!r} was used before"))
        else:
            seen.add(call.id)
    return findings


def _truncated(reply: Reply) -> Finding:
    where = "inside a call" if reply.tool_calls else "before an answer" if not reply.content else "in the answer"
    return Finding("truncated", f"generation was cut at max_tokens, {where}")


def _silence(reply: Reply, context: StepContext, progress: Progress) -> list[Finding]:
    """The turn ends here: what became of the calls that are still open?"""
    if not progress.due:
        return []
    names = [tool.name for tool in context.offered]
    wanted = ", ".join(call.name for call in progress.due)
    if text := spells_a_call(reply.content, names):
        return [Finding("call_as_text", f"expected {wanted}; in the content stands: {text}")]
    if text := spells_a_call(reply.reasoning, names):
        return [Finding("call_in_reasoning", f"expected {wanted}; in the reasoning stands: {text}")]
    if progress.calls_made == 0:
        return [Finding("no_tool_call", f"expected {wanted}, no call was made")]
    if context.expect.any_way:
        return []
    return [finding for call in progress.due for finding in _never_made(call, progress)]


def _never_made(call: ExpectedCall, progress: Progress) -> tuple[Finding, ...]:
    """What was wrong with the nearest attempt; without one, that it is missing."""
    missing = Finding("missing_tool_call", f"{call.name} was expected and not made")
    return progress.closest(call) or (missing,)


def _answer_findings(answer: str, expect: Expectation) -> list[Finding]:
    if expect.answer is None:
        return []
    findings = [
        Finding("wrong_answer", f"the answer lacks {either(spellings)}{near_miss(answer, spellings)}")
        for spellings in expect.answer.contains
        if not says(answer, spellings)
    ]
    findings += [
        Finding("wrong_answer", f"the answer must not say {unwanted!r}")
        for unwanted in expect.answer.excludes
        if says(answer, (unwanted,))
    ]
    return findings


def _state_findings(world: Any, expect: Expectation) -> list[Finding]:
    findings: list[Finding] = []
    for path, matcher in expect.state.items():
        try:
            value = get_path(world, path)
        except MissingPath:
            value = ABSENT
        findings += (
            Finding("state_mismatch", f"expected {describe(item.expected)}, is {describe(item.got)}", path)
            for item in explain(matcher, value)
        )
    return findings
