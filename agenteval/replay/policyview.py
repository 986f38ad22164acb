"""What a policy would send at one step of a recorded run, as a diff against full history.

The transcript is put together again from the journal, step by step, and the policy plays over it from the start of the
cell. Counts are local, calibrated on what the server counted as far as the recorded prompts are the same. Not covered:
cells with golden history under another policy than full_history; what `oracle_context` needs for answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import unified_diff
from typing import Any

from agenteval.context import (
    Budget,
    ModelReply,
    ModelRequest,
    Policy,
    View,
    build_policy,
    from_wire,
    without_note,
)
from agenteval.dialects import Sending
from agenteval.errors import UsageError
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript
from agenteval.outcome import StepRecord
from agenteval.replay.score import plan_of
from agenteval.run import Accountant, Size, expand
from agenteval.scoring.needed import texts_in
from agenteval.script import Scenario
from agenteval.store import StoredRun, StoredStep, read_frames
from agenteval.tokens import Calibration
from agenteval.tools import beginning

AROUND = 2
"""Lines shown around a change."""
LONGEST = 400
"""Characters of one line that are shown."""


def policy_view(
    stored: StoredRun, wanted: str, text: str | None, scenarios: Sequence[Scenario] = (), *, allow_code: bool = False
) -> str:
    """`scenarios`: those of the run, as it was played: some may begin with a history, and they know which tools change
    nothing. Raises UsageError if there is no such step, or if its conversation cannot be put together again."""
    step = _agent_step(stored, wanted)
    cell = [r for r in stored.records if r.cell == step.cell and r.judged and r.purpose == "agent"]
    cell = cell[: next(at for at, record in enumerate(cell) if record.id == step.id) + 1]
    frames = read_frames(stored.path, step.cell)
    policy = build_policy(text or step.policy, allow_code=allow_code)
    asked = [
        r
        for r in stored.records
        if r.cell == step.cell and r.purpose == "summary" and r.policy == (text or step.policy)
    ]
    told = {(r.turn, r.step): r for r in asked if r.reply is not None}
    transcripts = list(_transcripts(stored, cell, frames, _begun(stored, step, scenarios)))
    played = _Playing(stored, policy, told, step, same=text in (None, step.policy))
    played.read_only = _read_only(step, scenarios)
    outcome: View | ModelRequest | None = None
    for record, transcript in zip(cell, transcripts, strict=True):
        outcome = played.step(record, transcript, frames)
        if isinstance(outcome, ModelRequest):
            return "\n".join(_waiting(record, step, outcome, text or step.policy))
    assert isinstance(outcome, View)
    before, after = played.count(transcripts[-1]), played.count(outcome.messages)
    return "\n".join(_shown(step, text or step.policy, (transcripts[-1], outcome), (before, after)))


def _agent_step(stored: StoredRun, wanted: str) -> StepRecord:
    steps = [record for record in stored.records if record.purpose == "agent" and record.judged]
    found = next((record for record in steps if record.id == wanted), None)
    if found is None:
        some = [record.id for record in steps if not record.ok][:4] or [record.id for record in steps[:4]]
        raise UsageError(
            f"no judged step is called {wanted!r} in this run; for instance there are:\n  " + "\n  ".join(some)
        )
    return found


def _read_only(step: StepRecord, scenarios: Sequence[Scenario]) -> dict[str, bool | None]:
    """Tool → whether it changes nothing, as far as known."""
    return {spec.name: spec.read_only for it in scenarios if it.name == step.scenario for spec in it.tool_specs}


class _Playing:
    """A policy under way over one recorded cell."""

    def __init__(
        self,
        stored: StoredRun,
        policy: Policy,
        told: dict[tuple[int, int], StepRecord],
        step: StepRecord,
        *,
        same: bool,
    ) -> None:
        thinking, endpoint = step.thinking, stored.manifest.endpoint
        self._policy, self._state, self._told, self._same = policy, policy.begin(), told, same
        self._family = endpoint.get("family")
        self._scale = Accountant(self._family).scale(thinking)
        self._sending = Sending()
        self._window = endpoint.get("context_window")
        self._calibration = Calibration()
        self._tools: tuple[ToolSpec, ...] = ()
        self._thinking = thinking
        self.read_only: dict[str, bool | None] = {}

    def count(self, messages: Transcript) -> int:
        return self._size(messages).estimate(self._calibration)

    def _size(self, messages: Transcript) -> Size:
        return self._scale.size(self._sending.history(messages, self._thinking, self._family).messages, self._tools)

    def step(self, record: StepRecord, transcript: Transcript, frames: dict[str, StoredStep]) -> View | ModelRequest:
        """The outcome at one step; a summary that was recorded there is heard again."""
        own = {tool.name for tool in self._policy.tools}
        declared = [tool for tool in _tools(frames[record.id].request or {}) if tool.name not in own]
        offered = tuple(replace(tool, read_only=self.read_only.get(tool.name)) for tool in declared)
        self._tools = (*offered, *self._policy.tools)
        needed = tuple(dict.fromkeys(text for call in record.expected or () for text in texts_in(call.arguments)))
        outcome = self._policy.step(transcript, self._state, Budget(self._window, needed, self._tools), self.count)
        while isinstance(outcome, ModelRequest) and (heard := self._told.get((record.turn, record.step))):
            reply = heard.reply
            assert reply is not None
            outcome = self._policy.resume(
                outcome.state, ModelReply(reply.content, reply.finish_reason, len(reply.tool_calls))
            )
        if isinstance(outcome, View):
            self._state = outcome.state
            if self._same or record.policy == "full_history":
                sent = outcome.messages if self._same else transcript
                self._calibration = self._size(sent).learnt(self._calibration, record.tokens.prompt)
        return outcome


def _begun(stored: StoredRun, step: StepRecord, scenarios: Sequence[Scenario]) -> Transcript:
    """The history that a step's conversation began with."""
    if step.scenario not in stored.manifest.cells.get("begins", {}):
        return ()
    cells = expand(plan_of(stored.manifest, scenarios))
    return beginning(next(cell.scenario for cell in cells if cell.id == step.cell))[1:]


def _transcripts(
    stored: StoredRun, cell: Sequence[StepRecord], frames: dict[str, StoredStep], begun: Transcript
) -> Iterator[Transcript]:
    """The whole history before each step."""
    missing = next((record.id for record in cell if record.id not in frames or not frames[record.id].request), None)
    if missing is not None:
        raise UsageError(
            f"the request of step {missing} was not kept, so its conversation cannot be put together again"
        )
    golden = stored.manifest.plan.get("history") == "golden"
    if golden and cell[0].policy != "full_history":
        raise UsageError("with golden history only a run under full_history holds the whole conversation")
    transcript: Transcript = ()
    turn = 0
    for record in cell:
        body = frames[record.id].request or {}
        sent = [from_wire(_named(item), record.id) for item in body.get("messages", ())]
        if golden:
            yield tuple(sent)
            continue
        if not transcript:
            transcript = (*(message for message in sent[:1] if message.role == "system"), *begun)
        if record.turn != turn:
            said = next(message.content or "" for message in reversed(sent) if message.role == "user")
            turn = record.turn
            transcript = (*transcript, Message("user", without_note(said)))
        yield transcript
        transcript = (*transcript, *_said(record))


def _said(record: StepRecord) -> Iterator[Message]:
    """What followed a step in the transcript: the reply, with the ids of its results, and they."""
    reply = record.reply
    if reply is None:
        return
    calls = tuple(
        ToolCall(result.id, call.name or "", call.arguments_text)
        for call, result in zip(reply.tool_calls, record.tool_results, strict=False)
    )
    yield Message("assistant", reply.content, reply.reasoning, calls)
    yield from (
        Message("tool", result.content, tool_call_id=result.id, failed=result.is_error)
        for result in record.tool_results
    )


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """A message of any dialect with its reasoning under one name."""
    return item if "reasoning" not in item else {**item, "reasoning_content": item["reasoning"]}


def _tools(body: dict[str, Any]) -> Iterator[ToolSpec]:
    for tool in body.get("tools", ()):
        function = tool.get("function", {})
        yield ToolSpec(str(function.get("name")), function.get("description", ""), function.get("parameters", {}))


def _waiting(record: StepRecord, step: StepRecord, request: ModelRequest, policy: str) -> Iterator[str]:
    yield f"{policy} at step {step.id}: not known from here on."
    yield f"At step {record.id} it asks the model for a summary, which this run does not hold; it would send:"
    yield from _lines(request.messages[-1:])


def _shown(step: StepRecord, policy: str, views: tuple[Transcript, View], tokens: tuple[int, int]) -> Iterator[str]:
    transcript, view = views
    yield f"{policy} at step {step.id}" + ("  (simulated)" if step.simulated else "")
    yield (
        f"full history {len(transcript)} messages, about {tokens[0]:,} tokens; this view {len(view.messages)} messages,"
        f" about {tokens[1]:,} tokens"
    )
    report = view.report
    yield from (
        f"did now: {done.rule}: {done.what} ({done.why}; {done.before} → {done.after} tokens)"
        for done in report.actions
    )
    yield from (f"did otherwise: {reason}" for reason in report.otherwise)
    yield from (f"did not: {reason}" for reason in report.rejected)
    if not report.actions:
        still = "; what was done before stays done" if report.first_changed is not None else ""
        yield f"did nothing at this step{still}"
    diff = unified_diff(
        list(_lines(transcript)), list(_lines(view.messages)), "full history", "view", lineterm="", n=AROUND
    )
    changed = list(diff)
    yield from changed or ["(the view is the full history)"]


def _lines(messages: Transcript) -> Iterator[str]:
    for message in messages:
        if message.reasoning:
            yield from _cut(f"[{message.role}] (thought: {message.reasoning})")
        if message.content or not message.tool_calls:
            yield from _cut(f"[{message.role}] {message.content or ''}")
        yield from (_cut_line(f"[{message.role}] -> {call.name}({call.arguments_text})") for call in message.tool_calls)


def _cut(text: str) -> Iterator[str]:
    yield from map(_cut_line, text.splitlines() or [""])


def _cut_line(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}… ({len(line):,} characters)"
