"""The loop: one cell, with a scripted user and mock tools on one side and the model on the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agenteval.context import ModelReply, ModelRequest, View
from agenteval.outcome import Finding, StepError
from agenteval.run.ask import Answered, ask
from agenteval.run.breaker import STOPPED
from agenteval.run.conversation import Conversation, Heard
from agenteval.run.desk import Desk
from agenteval.run.plan import Cell
from agenteval.run.probe import probe_reasoning
from agenteval.scoring import Judgement, Progress, judge_end, judge_step
from agenteval.scoring.judge import give_up
from agenteval.script import Turn


@dataclass(frozen=True, slots=True)
class CellEnd:
    """How a cell ended: how many of its turns were judged, and the error that kept it from judging all of them."""

    cell: Cell
    turns_judged: int
    error: StepError | None = None

    @property
    def lost(self) -> str | None:
        """Why not all turns were judged, in words; None if they were, or if the run was stopped before."""
        if self.error is None or self.error is STOPPED:
            return None
        return f"turn {self.turns_judged + 1} got no reply that could be judged: {self.error.detail}"


async def run_cell(cell: Cell, desk: Desk) -> CellEnd:
    """Play all turns of a cell; every request is journalled as it ends."""
    talk = Conversation(cell, desk)
    for number, turn in enumerate(cell.scenario.turns, start=1):
        talk.begin_turn(number, turn)
        error = await _run_turn(talk, turn)
        if error is not None:
            return CellEnd(cell, number - 1, error)
    if talk.to_probe is not None:
        await probe_reasoning(talk.to_probe, desk)
    return CellEnd(cell, len(cell.scenario.turns))


async def _run_turn(talk: Conversation, turn: Turn) -> StepError | None:
    """Steps until the assistant stops calling tools. An error if the endpoint failed for good."""
    progress = Progress.begin(turn.expect)
    max_steps = talk.cell.scenario.defaults.max_steps
    for step in range(1, max_steps + 1):
        view = await _view(talk, step)
        if isinstance(view, StepError):
            return view
        question = talk.question(view, turn, step)
        answered = await ask(question, talk.desk)
        if isinstance(answered, StepError):
            return answered
        judgement = judge_step(answered.attempt.reply, talk.context(question, turn), progress)
        progress, findings = judgement.progress, judgement.findings
        talk.watch(question, judgement)
        heard = talk.hear(question, answered)
        over = judgement.ends_turn or step == max_steps
        if over:
            findings += _end_findings(talk, turn, judgement, max_steps)
        _journal(talk, answered, findings, heard, over=over)
        if over:
            break
    return None


async def _view(talk: Conversation, step: int) -> View | StepError:
    """What the policy lets through; summaries that it wants are asked for and journalled first."""
    outcome = talk.look()
    while isinstance(outcome, ModelRequest):
        answered = await ask(talk.summary_question(outcome, step), talk.desk)
        if isinstance(answered, StepError):
            return answered
        talk.desk.journal(answered.record, answered.attempt.recording)
        reply = answered.attempt.reply
        outcome = talk.look_again(outcome, ModelReply(reply.content, reply.finish_reason, len(reply.tool_calls)))
    return outcome


def _end_findings(talk: Conversation, turn: Turn, judgement: Judgement, max_steps: int) -> tuple[Finding, ...]:
    findings = judge_end(talk.last_text(), talk.world.state, turn.expect)
    if judgement.ends_turn:
        return findings
    return (*give_up(judgement.progress, max_steps), *findings)


def _journal(
    talk: Conversation, answered: Answered, findings: tuple[Finding, ...], heard: Heard, *, over: bool
) -> None:
    record = replace(
        answered.record,
        ok=all(finding.harmless for finding in findings),
        judged=True,
        findings=findings,
        tool_results=heard.results,
        repairs=(*answered.record.repairs, *heard.repairs),
        last_of_turn=over,
        facts=talk.facts() if over else (),
    )
    talk.desk.journal(record, answered.attempt.recording)
