"""One small request before a long run: does the endpoint stream, call a tool, and count its tokens?

What is missing is named with the server's option that brings it. A failure that may pass is waited for as in a run.
Raises EndpointError when the endpoint cannot be used at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agenteval.client import Attempt, Chat, chat
from agenteval.dialects import ChatRequest, Dialect, encode
from agenteval.errors import EndpointError
from agenteval.messages import Message, ToolSpec
from agenteval.outcome import StepError
from agenteval.run.retries import SLOW, Retries
from agenteval.scoring.textcalls import spells_a_call
from agenteval.thinking import Thinking
from agenteval.wire import Limits, Transport

PREFLIGHT_S = 30.0

CLOCK_TOOL = ToolSpec("get_time", "Tell the present time of a city.", {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
})  # fmt: skip
QUESTION = (
    Message("system", "You are an assistant with tools. Use them."),
    Message("user", "What time is it in Oslo? Call the tool."),
)
PARSER_OPTIONS: Mapping[str, str] = {
    "vllm": "--enable-auto-tool-choice --tool-call-parser … --reasoning-parser …",
    "sglang": "--tool-call-parser … --reasoning-parser …",
    "llamacpp": "--jinja",
}
"""Dialect → what makes its server parse tool calls."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What one request showed. `missing`: sentences, most serious first; `seconds`: how long a call took."""

    seconds: float | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask, and how; within `limits`, and at most `PREFLIGHT_S` each time."""

    transport: Transport
    dialect: Dialect
    model: str
    thinking: Thinking
    family: str | None = None
    extra: Mapping[str, Any] | None = None
    stream: bool = True
    chat: Chat = chat
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)


async def preflight(asked: Asked) -> Preflight:
    """Ask for one tool call and look at what comes."""
    request = ChatRequest(
        model=asked.model,
        messages=QUESTION,
        tools=(CLOCK_TOOL,),
        thinking=asked.thinking,
        max_tokens=256,
        temperature=0.0,
        seed=0,
        family=asked.family,
        stream=asked.stream,
        extra=asked.extra or {},
    )
    body = encode(request, asked.dialect).body
    attempt = await _ask(asked, body)
    error = attempt.failure
    if error is None:
        return Preflight(_seconds(attempt), tuple(_missing(attempt, asked)))
    if error.kind.startswith("timeout"):
        said = f"no complete reply in time ({error.detail}); the run goes on, with its own time-outs"
        return Preflight(None, (said,))
    raise EndpointError(_refusal(error, asked))


async def _ask(asked: Asked, body: Mapping[str, Any]) -> Attempt:
    """The request, repeated as those of a run are; but after a time-out the run may as well begin."""
    limits, tries = _short(asked.limits), 0
    while True:
        attempt = await asked.chat(asked.transport, body, limits=limits)
        error, tries = attempt.failure, tries + 1
        if error is None or error.kind in SLOW or not asked.retries.again(error, tries):
            return attempt
        pause = asked.retries.pause_s(tries, attempt.retry_after_s, 0.0)
        await asked.transport.clock.sleep(min(pause, PREFLIGHT_S))


def _short(limits: Limits) -> Limits:
    """The same limits, none above `PREFLIGHT_S`."""
    first, between, total = (min(PREFLIGHT_S, s) for s in (limits.first_frame_s, limits.between_s, limits.total_s))
    return replace(limits, first_frame_s=first, between_s=between, total_s=total, own=False)


def _seconds(attempt: Attempt) -> float:
    return (attempt.exchange.ended_at - attempt.exchange.sent_at) / 1e9


def _refusal(error: StepError, asked: Asked) -> str:
    """Why a run would be pointless, and what to do."""
    said = error.detail
    if error.status == 404:
        return f"the endpoint does not know the model {asked.model!r} ({said}); choose another with --model"
    if error.status in (401, 403):
        return f"the endpoint refuses the key ({said}); give the right one with --api-key"
    if error.status == 400 and "tool" in said.lower():
        return f"the endpoint takes no tools ({said}); start its server with {_parser_option(asked)}"
    if error.status == 400 and error.kind == "http_status":
        return f"the endpoint refuses our request ({said}); is --dialect {asked.dialect.name} right?"
    return f"the endpoint gives no usable reply ({said})"


def _parser_option(asked: Asked) -> str:
    return PARSER_OPTIONS.get(asked.dialect.name, "its option for tool calls")


def _missing(attempt: Attempt, asked: Asked) -> list[str]:
    reply, timeline = attempt.reply, attempt.timeline
    found = []
    if not reply.tool_calls:
        found.append(_no_call(attempt, asked))
    if asked.stream and not timeline.streamed:
        found.append("no stream came although one was asked for: TTFT and decode speed cannot be measured")
    if reply.usage is None or reply.usage.completion is None:
        found.append("no token usage came: tokens are counted locally, and speeds are estimates")
    elif timeline.streamed and timeline.first_token_count is None:
        found.append("no running token counts came: decode speed of short replies cannot be measured")
    return found


def _no_call(attempt: Attempt, asked: Asked) -> str:
    reply = attempt.reply
    if spells_a_call(reply.content, [CLOCK_TOOL.name]) or spells_a_call(reply.reasoning, [CLOCK_TOOL.name]):
        return f"the tool call came as text: start the server with {_parser_option(asked)}"
    if reply.finish_reason == "length":
        return "no tool call came within 256 tokens (the model was still thinking or talking)"
    option = _parser_option(asked)
    return f"no tool call came when asked for one: see whether the model calls tools, and its parser is on ({option})"
