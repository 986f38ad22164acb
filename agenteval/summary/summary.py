"""Everything that a report shows about one run, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenteval.outcome import StepRecord
from agenteval.store import Manifest
from agenteval.summary.advice import advise, explain_speed, failing_sentence, failing_step
from agenteval.summary.constrained import constraint_notes
from agenteval.summary.engaged import PolicyRow, engagement_notes, policy_rows
from agenteval.summary.losses import LossRow, loss_rows
from agenteval.summary.recalls import recall_notes
from agenteval.summary.rows import ArmRow, TurnRow, arm_rows, is_over, last_attempts, turn_rows
from agenteval.summary.sides import baseline, sides_in
from agenteval.summary.story import described
from agenteval.summary.taken import arm_of, parts
from agenteval.summary.thisrun import ThisRun, this_run
from agenteval.summary.trials import TrialRow, complete_trials, flaky_sentences, trial_notes, trial_rows
from agenteval.summary.unplayed import played, unplayed, unplayed_sentences
from agenteval.timing import NOT_STREAMED

NAMED = 4
"""So many scenarios are named one by one."""


@dataclass(frozen=True, slots=True)
class PreservedProof:
    """Prompt tokens of one request with the reasoning of earlier turns sent back, and of the same without it."""

    cell: str
    turn: int
    with_reasoning: int
    without_reasoning: int

    @property
    def arrived(self) -> bool:
        return self.with_reasoning > self.without_reasoning


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts, never shares alone. Lost cells and unjudged turns are in no score; `turns_planned` tells how many
    there should have been, so that completion can be shown beside every score."""

    cells_planned: int
    cells_complete: int
    cells_ok: int
    turns_planned: int
    turns_judged: int
    turns_ok: int
    steps: int
    requests: int
    endpoint_errors: int

    @property
    def completion(self) -> float | None:
        return self.turns_judged / self.turns_planned if self.turns_planned else None


@dataclass(frozen=True, slots=True)
class Summary:
    """`losses`: what infrastructure cost; `stopped`: why the run was ended early; `sentences`: what failed; `flaky`:
    what failed in some trials only; `policies`: what each did, but for full_history; `story`: what became of the turns
    under each of several, described and not ranked; `notes`: how to read the numbers;
    `advice`: what to try next. `trials` is empty where each cell was played once. What two runs of the same replies
    would not share stands in `this_run` alone."""

    title: str
    simulated: bool
    scores: Scores
    findings: Mapping[str, int]
    turns: tuple[TurnRow, ...]
    arms: tuple[ArmRow, ...]
    policies: tuple[PolicyRow, ...]
    preserved: tuple[PreservedProof, ...]
    trials: tuple[TrialRow, ...]
    losses: tuple[LossRow, ...]
    stopped: str | None
    sentences: tuple[str, ...]
    story: tuple[str, ...]
    flaky: tuple[str, ...]
    notes: tuple[str, ...]
    advice: tuple[str, ...]
    this_run: ThisRun


def summarise(manifest: Manifest, records: Sequence[StepRecord]) -> Summary:
    """Fold a run's manifest and records, whatever their order, into what reports show."""
    records = in_plan_order(manifest, records)
    steps = last_attempts(records)
    answered = [step for step in steps if step.error is None]
    arms, turns = rows = _rows(steps)
    policies, taken = policy_rows(records), parts(answered)
    proofs = preserved_proofs(records)
    simulated = bool(manifest.endpoint.get("simulated"))
    arm_trials = complete_trials(steps, manifest.cells.get("turns", {}))
    trials = trial_rows(arm_trials, simulated=simulated)
    judged = Counter(str(f.kind) for step in steps if step.judged for f in step.findings)
    findings = dict(judged.most_common())
    strange = unplayed(answered, simulated=simulated)
    return Summary(
        title=title_of(manifest),
        simulated=simulated,
        scores=_scores(manifest.cells, records, steps),
        findings=findings,
        turns=tuple(turns),
        arms=tuple(arms),
        policies=tuple(policies),
        preserved=tuple(proofs),
        trials=trials,
        losses=loss_rows(records),
        stopped=manifest.cells.get("stopped"),
        sentences=(
            *unplayed_sentences(strange, len(answered)),
            *(failing_sentence(arm, taken.get(arm_of(arm))) for arm in arms if arm.first_failing_turn is not None),
        ),
        story=_story(manifest, records),
        flaky=flaky_sentences(arm_trials),
        notes=tuple(
            [
                *_recording_notes(manifest),
                *_beginning_notes(manifest),
                *(constraint_notes(manifest.endpoint, findings) if _calls(answered) else ()),
                *_stream_notes(manifest, answered),
                *explain_speed(arms),
                *(_cache_notes(manifest, answered) if answered else ()),
                *_source_notes(steps),
                *_arrival_notes(proofs),
                *engagement_notes(policies, records),
                *recall_notes(records),
                *trial_notes(trials, simulated=simulated),
            ]
        ),
        advice=_advice(manifest, played(steps, strange)) if strange else _advice(manifest, steps, rows),
        this_run=this_run(manifest, failing_step(arms, steps)),
    )


_Rows = tuple[Sequence[ArmRow], Sequence[TurnRow]]


def _rows(steps: Sequence[StepRecord]) -> _Rows:
    turns = turn_rows(steps)
    return arm_rows(steps, turns), turns


def _advice(manifest: Manifest, steps: Sequence[StepRecord], rows: _Rows | None = None) -> tuple[str, ...]:
    """`rows`: those of the steps, where they were made already."""
    arms, turns = rows or _rows(steps)
    return advise(arms, turns, parts(steps), str(manifest.plan.get("history", "live")))


def _story(manifest: Manifest, records: Sequence[StepRecord]) -> tuple[str, ...]:
    """What each of several policies changed."""
    sides = sides_in(manifest, records, "policy") if len(manifest.plan.get("policies", ())) > 1 else ()
    if len(sides) < 2:
        return ()
    return (*described(sides, baseline(sides, None)), "This describes, and ranks nothing: agenteval compare does.")


def in_plan_order(manifest: Manifest, records: Iterable[StepRecord]) -> list[StepRecord]:
    """Records by cell as planned, turn, step and attempt: the journal's order is that in which replies came."""
    places = {cell: place for place, cell in enumerate(manifest.cells.get("turns", {}))}
    return sorted(records, key=lambda r: (places.get(r.cell, len(places)), r.turn, r.step, r.purpose, r.attempt))


def title_of(manifest: Manifest) -> str:
    """What was asked, where, and how it is spelled: one line."""
    endpoint = manifest.endpoint
    where = endpoint.get("base_url") or f"profile {endpoint.get('profile')}"
    return f"{endpoint.get('model')} · {where} · dialect {endpoint.get('dialect')}"


def _scores(planned: Mapping[str, Any], records: Sequence[StepRecord], steps: Sequence[StepRecord]) -> Scores:
    turns: dict[tuple[str, int], list[StepRecord]] = {}
    for step in steps:
        turns.setdefault((step.cell, step.turn), []).append(step)
    over = {key: group for key, group in turns.items() if is_over(group)}
    passed = {key for key, group in over.items() if all(step.ok for step in group)}
    plan: Mapping[str, int] = planned.get("turns", {})
    complete = [cell for cell, count in plan.items() if all((cell, n) in over for n in range(1, count + 1))]
    return Scores(
        cells_planned=len(plan),
        cells_complete=len(complete),
        cells_ok=sum(all((cell, n) in passed for n in range(1, plan[cell] + 1)) for cell in complete),
        turns_planned=sum(plan.values()),
        turns_judged=len(over),
        turns_ok=len(passed),
        steps=len(steps),
        requests=len(records),
        endpoint_errors=sum(record.error is not None for record in records),
    )


def preserved_proofs(records: Sequence[StepRecord]) -> list[PreservedProof]:
    """Pair each reasoning probe with the agent's request at the same place."""
    asked = {
        (r.cell, r.turn, r.step): r.tokens.prompt for r in records if r.purpose == "agent" and r.thinking == "preserved"
    }
    proofs = []
    for record in records:
        there = asked.get((record.cell, record.turn, record.step))
        if record.purpose == "probe" and record.tokens.prompt is not None and there is not None:
            proofs.append(PreservedProof(record.cell, record.turn, there, record.tokens.prompt))
    return proofs


def _arrival_notes(proofs: Sequence[PreservedProof]) -> list[str]:
    """Whether preserved reasoning reached the prompt: one example, and how many conversations agree with it."""
    notes = []
    for arrived, said in ((True, "reached the prompt"), (False, "did NOT reach the prompt: the server dropped it")):
        alike = [proof for proof in proofs if proof.arrived == arrived]
        if alike:
            proof = alike[0]
            notes.append(
                f"Preserved reasoning {said} in {len(alike)} of {len(proofs)} conversations: for instance "
                f"{proof.with_reasoning:,} prompt tokens with it, {proof.without_reasoning:,} without "
                f"(turn {proof.turn})."
            )
    return notes


def _recording_notes(manifest: Manifest) -> list[str]:
    """Where the replies come from a recorded run."""
    recording = manifest.endpoint.get("recording")
    if not recording:
        return []
    times = "with the times that they had" if recording["timed"] else "without their times, so that there are none here"
    return [f"REPLAYED: no model has answered; the replies are those of run {recording['run']}, {times}."]


def _calls(steps: Sequence[StepRecord]) -> bool:
    return any(step.reply is not None and step.reply.tool_calls for step in steps)


def _beginning_notes(manifest: Manifest) -> list[str]:
    """What scenarios hold before turn 1."""
    begins: Mapping[str, int] = manifest.cells.get("begins", {})
    said = [f"{name} begins with {number} messages" for name, number in begins.items()]
    return (
        [f"{'; '.join(said[:NAMED])}{'; …' * (len(said) > NAMED)}: turns already played, not scored."] if said else []
    )


def _stream_notes(manifest: Manifest, steps: Sequence[StepRecord]) -> list[str]:
    """Why latencies are missing where replies came whole."""
    whole = [step for step in steps if step.timing and step.timing.refused.get("ttft_ms") == NOT_STREAMED]
    if not whole:
        return []
    why = "as was asked (--no-stream)" if manifest.options.get("stream") is False else "although a stream was asked for"
    return [f"{len(whole)} of {len(steps)} replies came whole, {why}: they have no TTFT and no decode speed (–)."]


def _cache_notes(manifest: Manifest, steps: Sequence[StepRecord]) -> list[str]:
    """Which server option would tell cached prompt tokens, where none were told."""
    flag = manifest.endpoint.get("cached_flag")
    if not flag or any(step.tokens.cached is not None for step in steps):
        return []
    return [f"Cached prompt tokens are unknown: the server tells them when it is started with {flag}."]


def _source_notes(steps: Sequence[StepRecord]) -> list[str]:
    sources = Counter(step.tokens.context_source for step in steps if step.judged)
    notes = []
    if sources and set(sources) != {"server"}:
        said = ", ".join(f"{count} from {source}" for source, count in sources.most_common())
        notes.append(f"Context tokens do not all come from the server: {said}.")
    if any(step.tokens.completion_source == "tokenizer" for step in steps):
        notes.append(
            "Some completion tokens are counted locally, because the server gave no usage: speeds are estimates."
        )
    return notes
