"""One small request before a long run: does the endpoint stream, call a tool, and count its tokens?

What is missing is named with what to do about it, and what it costs. A failure that may pass is waited for as in a run.
Raises EndpointError when the endpoint cannot be used at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agenteval.client import Attempt, Chat, chat
from agenteval.dialects import ChatRequest, Dialect, encode, sent_history
from agenteval.errors import EndpointError
from agenteval.messages import Message
from agenteval.outcome import StepError
from agenteval.run.breaker import no_answer
from agenteval.run.retries import Retries, pause_told
from agenteval.scenario.preflight import PREFLIGHT
from agenteval.scoring.textcalls import spells_a_call
from agenteval.thinking import Thinking
from agenteval.timing import HIDDEN_MARKUP_NEEDS
from agenteval.wire import SLOW, Limits, Transport

PREFLIGHT_S = 30.0

TOOLS = PREFLIGHT.tool_specs
QUESTION = (Message("system", PREFLIGHT.system), Message("user", PREFLIGHT.turns[0].user))
PARSER_OPTIONS: Mapping[str, str] = {
    "vllm": "--enable-auto-tool-choice --tool-call-parser … --reasoning-parser …",
    "sglang": "--tool-call-parser … --reasoning-parser …",
    "llamacpp": "--jinja",
}
"""Dialect → what makes its server parse tool calls."""

SERVERS: Mapping[str, str] = {"vllm": "vLLM", "sglang": "SGLang", "llamacpp": "llama.cpp"}
"""Dialect → the server's own name."""


NO_STREAM = (
    "no stream came although one was asked for: TTFT and decode speed cannot be measured; see whether a proxy in "
    "between gathers replies, or ask without (--no-stream)"
)
NO_USAGE = (
    "no token usage came: context is estimated, tokens are counted locally, and speeds are estimates; see whether a "
    "proxy in between drops `stream_options` or the last frame (vLLM can be made to tell it: "
    "--enable-force-include-usage)"
)
NO_RUNNING_COUNTS = (
    f"no running token counts came: decode speed of replies below {HIDDEN_MARKUP_NEEDS} tokens cannot be measured"
)
WHICH_SERVER = "; if the server is SGLang, vLLM or llama.cpp, --dialect asks for them in its way"


@dataclass(frozen=True, slots=True)
class Preflight:
    """What one request showed. `missing`: sentences, most serious first; `seconds`: how long a call took;
    `streamed`: whether a stream was asked for (and came, if it is not missing)."""

    seconds: float | None
    missing: tuple[str, ...]
    streamed: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask, and how; within `limits`, and at most `PREFLIGHT_S` each time. `say` gets sentences for people."""

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
    say: Callable[[str], None] = lambda _: None


async def preflight(asked: Asked) -> Preflight:
    """Ask for one tool call and look at what comes."""
    attempt = await _ask(asked, _body(asked, PREFLIGHT.defaults.max_tokens))
    error = attempt.failure
    if error is None:
        return Preflight(_seconds(attempt), tuple(_missing(attempt, asked)), asked.stream)
    if error.kind.startswith("timeout"):
        said = f"no complete reply in time ({error.detail}); the run goes on, with its own time-outs"
        return Preflight(None, (said,))
    raise EndpointError(_refusal(error, asked))


async def ping(asked: Asked) -> StepError | None:
    """The same question with an answer of one token; why none came, None if one did."""
    return (await asked.chat(asked.transport, _body(asked, 1), limits=_short(asked.limits))).failure


def _body(asked: Asked, max_tokens: int) -> Mapping[str, Any]:
    request = ChatRequest(
        model=asked.model,
        history=sent_history(QUESTION, asked.thinking, asked.family),
        tools=TOOLS,
        thinking=asked.thinking,
        max_tokens=max_tokens,
        temperature=0.0,
        seed=0,
        family=asked.family,
        stream=asked.stream,
        extra=asked.extra or {},
    )
    return encode(request, asked.dialect).body


async def _ask(asked: Asked, body: Mapping[str, Any]) -> Attempt:
    """The request, repeated as those of a run are; but after a time-out the run may as well begin, and after an answer
    that is no chat completion it had better not."""
    limits, tries = _short(asked.limits), 0
    while True:
        attempt = await asked.chat(asked.transport, body, limits=limits)
        error, tries = attempt.failure, tries + 1
        if error is None or error.kind in SLOW or _refuses_tools(error) or not asked.retries.again(error, tries):
            return attempt
        if error.kind != "http_status" and not no_answer(error):
            return attempt
        pause_s = min(asked.retries.pause_s(tries, attempt.retry_after_s, 0.0), PREFLIGHT_S)
        if told := pause_told(error, attempt.retry_after_s, pause_s):
            asked.say(told)
        await asked.transport.clock.sleep(pause_s)


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
    if _refuses_tools(error):
        return f"the endpoint takes no tools ({said}); start its server with {_parser_option(asked)}"
    if error.status == 400 and error.kind == "http_status":
        return f"the endpoint refuses our request ({said}); is --dialect {asked.dialect.name} right?"
    return f"the endpoint gives no usable reply ({said})"


def _refuses_tools(error: StepError) -> bool:
    """Whether the server's words are about tools (llama-server says so with a 500, others with a 400)."""
    return error.status is not None and error.status >= 400 and "tool" in error.detail.lower()


def _parser_option(asked: Asked) -> str:
    """What its server is to be started with; of an unknown one what each of the known ones would be."""
    known = PARSER_OPTIONS.get(asked.dialect.name)
    each = "; ".join(f"{SERVERS[dialect]}: {option}" for dialect, option in PARSER_OPTIONS.items())
    return known or f"its option for tool calls ({each})"


def _missing(attempt: Attempt, asked: Asked) -> list[str]:
    reply, timeline = attempt.reply, attempt.timeline
    found = []
    if not reply.tool_calls:
        found.append(_no_call(attempt, asked))
    if asked.stream and not timeline.streamed:
        found.append(NO_STREAM)
    if reply.usage is None or reply.usage.completion is None:
        found.append(NO_USAGE)
    elif timeline.streamed and timeline.first_token_count is None:
        found.append(NO_RUNNING_COUNTS + (WHICH_SERVER if asked.dialect.name == "openai" else ""))
    return found


def _no_call(attempt: Attempt, asked: Asked) -> str:
    reply = attempt.reply
    names = [tool.name for tool in TOOLS]
    if spells_a_call(reply.content, names) or spells_a_call(reply.reasoning, names):
        return f"the tool call came as text: start the server with {_parser_option(asked)}"
    if reply.finish_reason == "length":
        most = PREFLIGHT.defaults.max_tokens
        return f"no tool call came within {most} tokens (the model was still thinking or talking)"
    option = _parser_option(asked)
    return f"no tool call came when asked for one: see whether the model calls tools, and its parser is on ({option})"
