"""The openai SDK beside our own client: the same request to the same scripted answer, and what may differ."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from agenteval.client import Attempt, HttpTransport, SdkChat, chat
from agenteval.clock import RealClock
from agenteval.stream import Reply
from agenteval.timing import Timeline
from agenteval.wire import Limits
from tests.client.server import FAST, Answer, Server, chunked, serving, sized

BODY: Mapping[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "user", "content": "hé"},
        {"role": "assistant", "content": None, "reasoning_content": "so", "tool_calls": []},
    ],
    "max_tokens": 7,
    "seed": 3,
    "temperature": 0.5,
    "stream": True,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    "chat_template_kwargs": {"enable_thinking": False},
    "top_k": 40,
}
WHOLE = {name: value for name, value in BODY.items() if not name.startswith("stream")}

NEVER_TOLD = ("done", "defects")
"""The SDK swallows `[DONE]`, and has no eye for what a server does against the protocol."""


async def _both(answer: Answer, body: Mapping[str, Any], limits: Limits) -> tuple[Attempt, Attempt, Server]:
    async with serving([answer]) as server:
        transport, sdk = HttpTransport(server.url), SdkChat(server.url)
        ours = await chat(transport, body, limits=limits)
        theirs = await sdk(transport, body, limits=limits)
        await transport.aclose()
        await sdk.aclose()
        for _ in range(10):
            await RealClock().sleep(0)
    return ours, theirs, server


def both(answer: Answer, body: Mapping[str, Any] = BODY, limits: Limits = FAST) -> tuple[Attempt, Attempt, Server]:
    """What our client and the SDK make of the same answer to the same request."""
    return asyncio.run(_both(answer, body, limits))


def streamed(*frames: bytes) -> Answer:
    return Answer(chunked(*frames), "close")


def without(reply: Reply, *names: str) -> Reply:
    """The reply with these fields as they are in an empty one."""
    return replace(reply, **{name: getattr(Reply(), name) for name in names})


def shape(timeline: Timeline) -> dict[str, Any]:
    """Of a timeline, what does not depend on how fast anything was: which stamps there are, and how many chunks."""
    stamped = {item.name: getattr(timeline, item.name) is not None for item in fields(Timeline) if "_at" in item.name}
    known = (timeline.evidence, timeline.first_token_count, timeline.streamed, len(timeline.chunk_times))
    return {**stamped, "known": known}


def in_one(message: Mapping[str, Any], finish: str | None = "tool_calls", **extra: Any) -> Answer:
    """A reply that is not streamed."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return Answer((sized(json.dumps({"id": "c", "model": "m", "choices": [choice], **extra}).encode()),), "close")
