"""A stream on a time schedule: how a model's name tells it, when each frame is due, and the frames as bytes.

`scheduled-first-100-gap-10-chunks-201-role-5` is a model whose reply has its role frame 5 ms after the request has
come, its first token after 100 ms and 200 more chunks every 10 ms. What is not named keeps its default. Such a name
passes through any client unharmed, so that a stranger's client can be measured too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from agenteval.clock import NS_PER_MS
from agenteval.errors import UsageError

Kind = Literal["content", "reasoning", "tool", "thought"]
"""What the chunks carry: content, reasoning, a tool call; `thought`: reasoning in the first half, then a tool call."""

Usage = Literal["end", "running", "none"]
"""Where token counts stand: in a last frame if the request asks for it, on every frame, nowhere."""

PREFIX = "scheduled"
STREAM_HEADER = "x-scheduled-stream"
"""The header of a reply that carries the number of its record."""
MAX_CHUNKS = 100_000
MAX_MS = 600_000.0
TOOL = "write_words"
WORD = " word"

_FIELD = re.compile(r"-([a-z]+)-([a-z]+|\d{1,6}(?:\.\d{1,6})?)")
_LAST_ARGUMENT = '"}'


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times in ms after the request has come whole.

    `chunks` visible chunks begin at `first` and come every `gap`; each carries `tokens` tokens (the first one `lead`,
    if that is not 0), of a word each. `role`: when an empty frame that names the role comes; -1: none. `align`: time
    begins at the next multiple of so many ms of the machine's monotonic clock, so that streams which were asked for in
    the meantime go in lockstep; 0: at once. `prompt`: the count of prompt tokens that usage claims. Finish reason,
    usage and `[DONE]` follow the last chunk at once, in one piece.
    """

    first: float = 100.0
    gap: float = 10.0
    chunks: int = 201
    role: float = -1.0
    tokens: int = 1
    lead: int = 0
    kind: Kind = "content"
    usage: Usage = "end"
    align: float = 0.0
    prompt: int = 1000

    @property
    def model(self) -> str:
        """The model name that asks for it."""
        told = (item.name for item in fields(self) if getattr(self, item.name) != item.default)
        return PREFIX + "".join(f"-{name}-{_spelled(getattr(self, name))}" for name in told)

    @property
    def completion(self) -> int:
        """How many tokens the reply has."""
        return (self.lead or self.tokens) + self.tokens * (self.chunks - 1)

    @property
    def chunk_offsets(self) -> tuple[int, ...]:
        """When each chunk is due, in ns after time has begun."""
        return tuple(round((self.first + n * self.gap) * NS_PER_MS) for n in range(self.chunks))


@dataclass(slots=True)
class Sent:
    """One stream as it really went, as the server tells it at `/records`; all in ns of the monotonic clock.

    `first_read_at`, `request_at`: the first bytes of the request were read, all of it was there; `began_at`: what the
    schedule's times count from; `sent`: when each piece was written: the role frame if there is one, each chunk, the
    end (one piece for a reply that was not streamed).
    """

    stream: int
    model: str
    request_bytes: int
    first_read_at: int
    request_at: int
    began_at: int
    sent: list[int] = field(default_factory=list)

    @property
    def chunks(self) -> tuple[int, ...]:
        """When each chunk of a stream was written."""
        begin = 0 if parse_schedule(self.model).role < 0 else 1
        return tuple(self.sent[begin:-1])

    @property
    def late(self) -> tuple[int, ...]:
        """By how much the server itself was late with each chunk."""
        due = parse_schedule(self.model).chunk_offsets
        return tuple(at - self.began_at - offset for at, offset in zip(self.chunks, due, strict=True))


def parse_schedule(model: str) -> Schedule:
    """The schedule that a model's name tells. Raises UsageError with what is wrong in it."""
    rest = model.removeprefix(PREFIX)
    if rest == model or _FIELD.sub("", rest):
        raise UsageError(f"the model {model!r} tells no schedule; for example {Schedule(chunks=20, role=5).model!r}")
    told = dict(_FIELD.findall(rest))
    known = {item.name: item.default for item in fields(Schedule)}
    for name in told.keys() - known.keys():
        raise UsageError(f"a schedule has no {name!r}; it has {', '.join(known)}")
    return _checked(Schedule(**{name: _read(name, text, known[name]) for name, text in told.items()}))


def _spelled(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6f}".rstrip("0").rstrip(".")


def _read(name: str, text: str, default: Any) -> Any:
    try:
        return type(default)(text)
    except ValueError:
        raise UsageError(f"{name} of a schedule cannot be {text!r}") from None


def _checked(schedule: Schedule) -> Schedule:
    last = schedule.first + schedule.gap * (schedule.chunks - 1)
    if not 1 <= schedule.chunks <= MAX_CHUNKS or not 1 <= schedule.tokens <= MAX_CHUNKS:
        raise UsageError(f"chunks and tokens of a schedule are from 1 to {MAX_CHUNKS:,}")
    if max(last, schedule.role, schedule.align) > MAX_MS:
        raise UsageError(f"a schedule is over after {MAX_MS / 1000:.0f} s at most")
    if schedule.kind not in get_args(Kind) or schedule.usage not in get_args(Usage):
        raise UsageError(f"kind is one of {', '.join(get_args(Kind))}; usage one of {', '.join(get_args(Usage))}")
    return schedule


# --- the frames ---------------------------------------------------------------------------------------------------


def due_frames(schedule: Schedule, *, usage_asked: bool) -> Iterator[tuple[int, bytes]]:
    """(due, ns after time has begun; server-sent events) of the whole stream, in order; the last one ends it."""
    made = 0
    if schedule.role >= 0:
        yield round(schedule.role * NS_PER_MS), _frame(schedule, {"role": "assistant", "content": ""}, 0)
    for due, (tokens, delta) in zip(schedule.chunk_offsets, _deltas(schedule), strict=True):
        made += tokens
        yield due, _frame(schedule, delta, made)
    yield schedule.chunk_offsets[-1], _ending(schedule, usage_asked)


def whole_reply(schedule: Schedule) -> bytes:
    """The reply to a request that did not ask for a stream."""
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for _, delta in _deltas(schedule):
        for name in delta.keys() & {"content", "reasoning_content"}:
            message[name] = (message.get(name) or "") + delta[name]
        for call in delta.get("tool_calls", ()):
            calls = message.setdefault("tool_calls", [])
            if "id" in call:
                calls.append(call)
            else:
                calls[-1]["function"]["arguments"] += call["function"]["arguments"]
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(schedule)}
    usage = {} if schedule.usage == "none" else {"usage": _usage(schedule, schedule.completion)}
    return _json({**_common(schedule, "chat.completion"), "choices": [choice], **usage})


def _deltas(schedule: Schedule) -> Iterator[tuple[int, dict[str, Any]]]:
    """(tokens, delta) of each visible chunk."""
    thinking = {"reasoning": schedule.chunks, "thought": schedule.chunks // 2}.get(schedule.kind, 0)
    calling = schedule.chunks - thinking if schedule.kind in ("tool", "thought") else 0
    for n in range(schedule.chunks):
        tokens = schedule.lead or schedule.tokens if n == 0 else schedule.tokens
        if n < thinking:
            yield tokens, {"reasoning_content": WORD * tokens}
        elif calling:
            yield tokens, {"tool_calls": [_call(n - thinking, calling, tokens)]}
        else:
            yield tokens, {"content": WORD * tokens}


def _call(n: int, of: int, tokens: int) -> dict[str, Any]:
    """The n-th piece of one tool call whose arguments are valid when the last has come."""
    opening, words = '{"text": "', WORD * tokens
    if n == 0:
        whole = opening + words + _LAST_ARGUMENT if of == 1 else ""
        return {"index": 0, "id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": whole}}
    arguments = (opening if n == 1 else "") + words + (_LAST_ARGUMENT if n == of - 1 else "")
    return {"index": 0, "function": {"arguments": arguments}}


def _finish_reason(schedule: Schedule) -> str:
    return "tool_calls" if schedule.kind in ("tool", "thought") else "stop"


def _common(schedule: Schedule, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scheduled", "object": kind, "created": 1795213500, "model": schedule.model}


def _frame(schedule: Schedule, delta: dict[str, Any], made: int, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    running = {"usage": _usage(schedule, made)} if schedule.usage == "running" else {}
    return _event({**_common(schedule, "chat.completion.chunk"), "choices": [choice], **running})


def _ending(schedule: Schedule, usage_asked: bool) -> bytes:
    end = _frame(schedule, {}, schedule.completion, _finish_reason(schedule))
    if schedule.usage == "running" or (schedule.usage == "end" and usage_asked):
        usage = _usage(schedule, schedule.completion)
        end += _event({**_common(schedule, "chat.completion.chunk"), "choices": [], "usage": usage})
    return end + b"data: [DONE]\n\n"


def _usage(schedule: Schedule, made: int) -> dict[str, int]:
    return {"prompt_tokens": schedule.prompt, "completion_tokens": made, "total_tokens": schedule.prompt + made}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + _json(value) + b"\n\n"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
