"""One model request with its retries: encode, send, time, and turn what came into the parts of a record."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace

from agenteval.canonical import JsonProblem, parse_json, seed_of
from agenteval.client import Attempt
from agenteval.clock import wall_stamp
from agenteval.context import View
from agenteval.dialects import ChatRequest, Encoder, SentHistory
from agenteval.messages import ToolSpec
from agenteval.outcome import (
    Finding,
    Purpose,
    RecordedCall,
    RecordedExpectation,
    RecordedReply,
    Repair,
    StepError,
    StepRecord,
    Tokens,
    Transfer,
)
from agenteval.run.accounting import Size
from agenteval.run.breaker import DEADLY_AFTER, STOPPED
from agenteval.run.desk import Desk
from agenteval.run.isolation import salt_of
from agenteval.run.plan import Cell
from agenteval.run.prefix import UNKNOWN, Reused
from agenteval.run.retries import pause_told
from agenteval.stream import Reply, possible
from agenteval.timing import Timing, measure, merged_chunks, refused_timing


@dataclass(frozen=True, slots=True)
class Question:
    """One request to make: where in the cell it stands, what the model sees, what of that is `sent` (its size as
    rendered here, and how many tokens the server should count) by which encoder, what is expected of the whole turn;
    how much of it the server has seen before, and the CPU time that the policy took."""

    cell: Cell
    turn: int
    step: int
    view: View
    tools: tuple[ToolSpec, ...]
    sent: SentHistory
    encoder: Encoder
    size: Size
    estimate: int
    expected: tuple[RecordedExpectation, ...] | None = None
    purpose: Purpose = "agent"
    max_tokens: int | None = None
    reused: Reused = UNKNOWN
    policy_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that got a reply that can be judged; `record` lacks only the verdict."""

    attempt: Attempt
    record: StepRecord


async def ask(question: Question, desk: Desk) -> Answered | StepError:
    """Send a question; journal each failed attempt; the last error if none got a reply that can be judged.

    Attempts that a recording answered, or that failed because the endpoint was gone, do not count as tries; but a
    request that finds it gone again and again, although it came back each time, is given up as what kills it.
    """
    breaker, retries, clock = desk.breaker, desk.retries, desk.transport.clock
    error, number, tries, gone = STOPPED, 0, 0, 0
    while True:
        async with breaker.turn(gone) as admitted:
            if not admitted:
                return error
            number += 1
            answered = await _attempt(question, desk, number)
        failure, replayed = answered.record.error, answered.attempt.exchange.replayed
        if failure is None:
            if not replayed:
                breaker.heard()
            return answered
        desk.journal(answered.record, answered.attempt.recording)
        error = failure
        last = not retries.again(error, tries + 1)
        if replayed:
            continue
        if await breaker.failed(question.cell, error, clock, last=last):
            gone += 1
            if gone < DEADLY_AFTER or breaker.stopped is not None:
                continue
            error, last = _deadly(answered.record, error, gone), True
        tries += 1
        if last:
            await breaker.lost(question.cell, error, clock)
            return error
        asked_s = answered.attempt.retry_after_s
        pause_s = retries.pause_s(tries, asked_s, _draw(question, number))
        await breaker.pause(clock, pause_s, pause_told(error, asked_s, pause_s))


def _deadly(record: StepRecord, error: StepError, gone: int) -> StepError:
    """What is said of a request after which the endpoint was gone so many times."""
    said = f"the request of step {record.id} seems to kill the server: each of {gone} times it was gone and came back"
    return StepError(error.kind, f"{said}; the last time {error.detail}", error.status)


def _draw(question: Question, number: int) -> float:
    """From 0 to 1, the same every time and another one for each attempt of each cell."""
    seed = seed_of("pause", question.cell.id, question.cell.seed, question.turn, question.step, number)
    return random.Random(seed).random()


async def _attempt(question: Question, desk: Desk, number: int) -> Answered:
    encoded = question.encoder.encode(_request(question, desk))
    started = wall_stamp()
    attempt = await desk.chat(desk.transport, encoded.body, limits=desk.limits)
    limits = (encoded.body.get(name) for name in ("max_tokens", "max_completion_tokens"))
    allowed = max((limit for limit in limits if type(limit) is int), default=None)
    attempt = replace(attempt, reply=possible(attempt.reply, desk.budget.window, allowed))
    sent = Sent(number, started, encoded.view_hash, encoded.repairs)
    return Answered(attempt, _record(question, desk, sent, attempt))


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt as it was sent."""

    number: int
    started_at: str
    view_hash: str
    repairs: tuple[Repair, ...]


def _request(question: Question, desk: Desk) -> ChatRequest:
    cell, plan = question.cell, desk.plan
    defaults = cell.scenario.defaults
    return ChatRequest(
        model=desk.model,
        history=question.sent,
        tools=question.tools,
        thinking=cell.thinking,
        max_tokens=question.max_tokens or plan.max_tokens or defaults.max_tokens,
        temperature=defaults.temperature if plan.temperature is None else plan.temperature,
        seed=cell.seed,
        stream=desk.stream,
        extra={**_salt(cell, desk), **desk.extra},
        family=desk.family,
        raw_text=desk.raw_text,
    )


def _salt(cell: Cell, desk: Desk) -> dict[str, str]:
    return {"cache_salt": salt_of(desk.run, cell.id)} if desk.isolation == "salt" else {}


def _record(question: Question, desk: Desk, sent: Sent, attempt: Attempt) -> StepRecord:
    """The record of one attempt; the verdict of a good one is still to come."""
    cell, purpose, error = question.cell, question.purpose, attempt.failure
    reply = recorded(attempt.reply)
    counted = desk.accountant.tokens(attempt.reply, question.size, question.estimate)
    tokens = replace(counted, reusable=question.reused.tokens, broken_by=question.reused.broken_by)
    suffix = "" if purpose == "agent" else f".{purpose}"
    return StepRecord(
        id=f"{cell.id}.t{question.turn:02}.s{question.step:02}.a{sent.number}{suffix}",
        run=desk.run,
        cell=cell.id,
        scenario=cell.scenario.name,
        thinking=cell.thinking,
        policy=cell.policy,
        trial=cell.trial,
        turn=question.turn,
        step=question.step,
        attempt=sent.number,
        purpose=purpose,
        ok=False,
        judged=False,
        findings=(Finding("endpoint_error", error.detail),) if error else (),
        expected=question.expected,
        view_hash=sent.view_hash,
        tool_results=(),
        reply=reply,
        tokens=tokens,
        timing=_timing(attempt, reply, tokens, desk),
        policy_report=_report(question.view),
        repairs=sent.repairs,
        error=error,
        simulated=desk.simulated,
        transfer=replace(_transfer(attempt), policy_ms=question.policy_ms),
        started_at=sent.started_at,
        seed=cell.seed,
    )


def _transfer(attempt: Attempt) -> Transfer:
    exchange, merged = attempt.exchange, merged_chunks(attempt.timeline)
    return Transfer(exchange.connect_ms, exchange.reads, exchange.resent, attempt.send_lag_ms, merged)


def _report(view: View) -> dict[str, object]:
    """A policy's report as it stands in a record."""
    return asdict(view.report)


def _timing(attempt: Attempt, reply: RecordedReply, tokens: Tokens, desk: Desk) -> Timing:
    calls = reply.tool_calls
    timing = measure(
        attempt.timeline,
        tokens.completion,
        estimated=tokens.completion_source == "tokenizer",
        calls_valid=all(isinstance(call.arguments, dict) for call in calls) if calls else None,
        hides_markup=desk.dialect.hides_markup,
    )
    return refused_timing(timing, desk.untimed) if desk.untimed else timing


def recorded(reply: Reply) -> RecordedReply:
    """A reply as it stands in the journal."""
    return RecordedReply(
        content=reply.content,
        reasoning=reply.reasoning,
        finish_reason=reply.finish_reason,
        tool_calls=tuple(
            RecordedCall(call.id, call.name, call.arguments_text, _parsed(call.arguments_text))
            for call in reply.tool_calls
        ),
    )


def _parsed(text: str) -> object:
    try:
        parsed: object = parse_json(text)
    except JsonProblem:
        return None
    return parsed
