"""Asking a simulated engine in virtual time, and reading what came as a client would."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from agenteval.clock import NS_PER_S, LoopClock, run_virtual
from agenteval.messages import Message, Transcript, tool_object
from agenteval.scenario.loader import load_suite
from agenteval.script import Scenario
from agenteval.simulator import PROFILES, Engine, Profile
from agenteval.simulator.ailments import Ailment
from agenteval.simulator.library import Script
from agenteval.simulator.request import read_request

SEED = 5
COUNTED = {"include_usage": True, "continuous_usage_stats": True}


@dataclass
class Reply:
    """A folded stream; `times` are seconds after the request, one per frame."""

    reasoning: str = ""
    content: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    finish: str | None = None
    matched_stop: int | None = None
    usage: dict[str, Any] | None = None
    frames: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)

    @property
    def raw(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def counts(self) -> dict[str, Any]:
        """The usage, which must be there."""
        assert self.usage is not None
        return self.usage

    @property
    def cached(self) -> int:
        return int(self.counts["prompt_tokens_details"]["cached_tokens"])

    @property
    def arguments(self) -> list[Any]:
        return [json.loads(call["arguments"]) for call in self.calls]

    @property
    def names(self) -> list[str]:
        return [call["name"] for call in self.calls]

    def message(self) -> Message:
        """The reply as a client sends it back; calls keep what they were."""
        return replace(_message_of(self.calls), content=self.content or None, reasoning=self.reasoning or None)

    def take(self, chunk: bytes, seconds: float) -> None:
        self.chunks.append(chunk)
        data = chunk.removeprefix(b"data: ").strip()
        if data == b"[DONE]":
            return
        frame = json.loads(data)
        self.frames.append(frame)
        self.times.append(seconds)
        self.usage = frame.get("usage") or self.usage
        for choice in frame["choices"]:
            self._delta(choice["delta"])
            self.finish = choice["finish_reason"] or self.finish
            self.matched_stop = choice["matched_stop"] or self.matched_stop

    def _delta(self, delta: Mapping[str, Any]) -> None:
        self.reasoning += delta.get("reasoning_content") or ""
        self.content += delta.get("content") or ""
        for call in delta.get("tool_calls") or ():
            if call["id"]:
                assert call["index"] == len(self.calls)
                self.calls.append({"id": call["id"], "name": call["function"]["name"], "arguments": ""})
            self.calls[call["index"]]["arguments"] += call["function"]["arguments"]


def _message_of(calls: Sequence[Mapping[str, Any]]) -> Message:
    request = read_request({"messages": [{"role": "assistant", "tool_calls": [_wire_call(**call) for call in calls]}]})
    return request.messages[0]


def _wire_call(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def wire(message: Message) -> dict[str, Any]:
    """A message in a request's body."""
    spelled: dict[str, Any] = {"role": message.role, "content": message.content or ""}
    if message.reasoning:
        spelled["reasoning_content"] = message.reasoning
    if message.tool_calls:
        spelled["tool_calls"] = [_wire_call(call.id, call.name, call.arguments_text) for call in message.tool_calls]
    if message.tool_call_id:
        spelled["tool_call_id"] = message.tool_call_id
    return spelled


@cache
def stock() -> Scenario:
    """The small scenario of these tests."""
    (scenario,) = load_suite(str(Path(__file__).with_name("stock.yaml"))).scenarios
    return scenario


@cache
def script(seed: int = SEED) -> Script:
    """How it goes when all is right."""
    return Script.of(stock(), seed)


def history(turn: int, part: int = 0) -> Transcript:
    """The golden conversation up to a turn's user message (turns count from 1), and `part` messages further."""
    golden = script()
    return (*golden.before(turn - 1), *golden.golden[turn - 1].messages[:part])


def body(messages: Sequence[Message], of: Scenario | None = None, **fields: Any) -> dict[str, Any]:
    """A streaming request of a scenario, the small one unless told otherwise."""
    template = {"enable_thinking": False, "clear_thinking": True}
    return {
        "model": PROFILES["healthy"].model,
        "messages": [wire(message) for message in messages],
        "tools": [tool_object(tool) for tool in (of or stock()).tool_specs],
        "seed": SEED,
        "stream": True,
        "stream_options": COUNTED,
        "chat_template_kwargs": template,
        **fields,
    }


def profile(*ailments: Ailment) -> Profile:
    return replace(PROFILES["healthy"], ailments=ailments)


def engine(of: Profile | None = None, *, seed: int = 1) -> Engine:
    return Engine(of or PROFILES["healthy"], [stock()], LoopClock(), seed=seed)


def ask(request: Mapping[str, Any], of: Engine | None = None) -> Reply:
    """One request, in virtual time."""
    return ask_all([request], of)[0]


def ask_all(requests: Sequence[Mapping[str, Any]], of: Engine | None = None) -> list[Reply]:
    """Requests one after the other to one engine."""
    asked = of or engine()

    async def main() -> list[Reply]:
        return [await _heard(asked, request) for request in requests]

    return run_virtual(main())


async def _heard(asked: Engine, request: Mapping[str, Any]) -> Reply:
    reply, start = Reply(), asked.clock.now()
    async with aclosing(asked.frames(asked.admit(request))) as frames:
        async for chunk in _each(frames):
            reply.take(chunk, (asked.clock.now() - start) / NS_PER_S)
    return reply


async def _each(frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in frames:
        assert chunk.startswith(b"data: ")
        assert chunk.endswith(b"\n\n")
        yield chunk
