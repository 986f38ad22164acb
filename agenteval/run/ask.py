"""One model request with its retries: encode, send, time, and turn what came into the parts of a record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agenteval.canonical import JsonProblem, parse_json, tagged_hash
from agenteval.client import Attempt, chat
from agenteval.clock import wall_stamp
from agenteval.context import View
from agenteval.dialects import ChatRequest, encode
from agenteval.messages import ToolSpec, Transcript
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
)
from agenteval.run.desk import Desk
from agenteval.run.plan import Cell
from agenteval.stream import Reply
from agenteval.timing import Timing, measure

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Question:
    """One request to make: where in the cell it stands, what the model sees (`estimate`: how many tokens that
    should be), what is expected of the whole turn."""

    cell: Cell
    turn: int
    step: int
    view: View
    tools: tuple[ToolSpec, ...]
    estimate: int
    expected: tuple[RecordedExpectation, ...] | None = None
    purpose: Purpose = "agent"
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that got a reply that can be judged; `record` lacks only the verdict."""

    attempt: Attempt
    record: StepRecord


async def ask(question: Question, desk: Desk) -> Answered | None:
    """Send a question; journal each failed attempt; None if none of them got a reply that can be judged."""
    wait = desk.retries.first_wait_s
    for number in range(1, desk.retries.times + 2):
        answered = await _attempt(question, desk, number)
        error = answered.record.error
        if error is None:
            return answered
        desk.journal(answered.record, answered.attempt.recording)
        if number > desk.retries.times or not _worth_retrying(error):
            return None
        pause = max(answered.attempt.retry_after_s or 0.0, wait)
        await desk.transport.clock.sleep(min(pause, desk.retries.longest_wait_s))
        wait *= 2
    return None


async def _attempt(question: Question, desk: Desk, number: int) -> Answered:
    request = _request(question, desk)
    encoded = encode(request, desk.dialect)
    started = wall_stamp()
    attempt = await chat(desk.transport, encoded.body, limits=desk.limits)
    error = _error(attempt)
    record = _record(question, desk, number, attempt, encoded.repairs)
    record = replace(
        record,
        started_at=started,
        view_hash=tagged_hash(encoded.body["messages"]),
        error=error,
        findings=(Finding("endpoint_error", error.detail),) if error else (),
    )
    return Answered(attempt, record)


def _request(question: Question, desk: Desk) -> ChatRequest:
    cell, plan = question.cell, desk.plan
    defaults = cell.scenario.defaults
    return ChatRequest(
        model=desk.model,
        messages=question.view.messages,
        tools=question.tools,
        thinking=cell.thinking,
        max_tokens=question.max_tokens or plan.max_tokens or defaults.max_tokens,
        temperature=defaults.temperature if plan.temperature is None else plan.temperature,
        seed=cell.seed,
        stream=desk.stream,
        extra=desk.extra,
    )


def _record(question: Question, desk: Desk, number: int, attempt: Attempt, repairs: tuple[Repair, ...]) -> StepRecord:
    cell, purpose = question.cell, question.purpose
    tokens = _tokens(question, desk, attempt.reply)
    suffix = "" if purpose == "agent" else f".{purpose}"
    return StepRecord(
        id=f"{cell.id}.t{question.turn:02}.s{question.step:02}.a{number}{suffix}",
        run=desk.run,
        cell=cell.id,
        scenario=cell.scenario.name,
        thinking=cell.thinking,
        policy=cell.policy,
        trial=cell.trial,
        turn=question.turn,
        step=question.step,
        attempt=number,
        purpose=purpose,
        ok=False,
        judged=False,
        findings=(),
        expected=question.expected,
        view_hash="",
        tool_results=(),
        reply=recorded(attempt.reply),
        tokens=tokens,
        timing=_timing(attempt, tokens, desk),
        policy_report=_report(question.view),
        repairs=repairs,
        error=None,
        simulated=desk.simulated,
        started_at="",
        seed=cell.seed,
    )


def _report(view: View) -> dict[str, object]:
    report = view.report
    return {name: getattr(report, name) for name in report.__slots__}


def _tokens(question: Question, desk: Desk, reply: Reply) -> Tokens:
    counted = desk.accountant.prompt(question.view.messages, question.tools, question.cell.thinking)
    return desk.accountant.tokens(reply, counted, question.estimate)


def _timing(attempt: Attempt, tokens: Tokens, desk: Desk) -> Timing:
    calls = attempt.reply.tool_calls
    return measure(
        attempt.timeline,
        tokens.completion,
        estimated=tokens.completion_source == "tokenizer",
        calls_valid=all(_is_json(call.arguments_text) for call in calls) if calls else None,
        hides_markup=desk.dialect.hides_markup,
    )


def _is_json(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict)
    except JsonProblem:
        return False


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


def _error(attempt: Attempt) -> StepError | None:
    """Infrastructure failures; a stream that ended badly after a reply had come is one, too."""
    exchange, reply = attempt.exchange, attempt.reply
    if exchange.fault is not None:
        return StepError(exchange.fault.kind, exchange.fault.detail, exchange.status)
    if attempt.error is not None:
        return StepError("http_status", attempt.error, exchange.status)
    if reply.error is not None:
        return StepError("error_in_stream", reply.error, exchange.status)
    return None


def _worth_retrying(error: StepError) -> bool:
    if error.kind == "http_status":
        return error.status in RETRIED_STATUS
    return error.kind not in ("tls", "too_large", "protocol")


def without_reasoning(messages: Transcript) -> Transcript:
    """The same messages with no reasoning to send back."""
    return tuple(replace(message, reasoning=None) for message in messages)
