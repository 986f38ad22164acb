"""An endpoint in the same process: it writes one text, and streams what its parser, perhaps a bad one, reads in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agenteval.clock import Clock, LoopClock
from agenteval.parsers import ParsedMessage
from agenteval.wire import Exchange, HttpRequest, Limits, Receiver


@dataclass
class Told:
    """What the endpoint tells beside its reading: `logprobs` as bytes, `ids`, and what its other pages answer."""

    logprobs: Sequence[bytes] | None = None
    ids: Sequence[int] = ()
    whole_logprobs: Sequence[bytes] | None = None
    pages: Mapping[str, Any] = field(default_factory=dict)


class Endpoint:
    """Behind the transport seam. `said`: what its parser reads; `tokens`: what its usage counts."""

    def __init__(self, said: ParsedMessage, told: Told, tokens: int | None = None, finish: str | None = None) -> None:
        self.said, self.told, self.tokens = said, told, tokens
        self.finish = finish or ("tool_calls" if said.calls else "stop")
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.clock: Clock = LoopClock()

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        body = json.loads(request.body)
        self.asked.append((request.path, body))
        status, kind, data = self._answer(request.path, body)
        receiver.head(status, (("content-type", kind),), 0)
        receiver.data(data, 0)
        return Exchange(0, 1, status)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _answer(self, path: str, body: dict[str, Any]) -> tuple[int, str, bytes]:
        if path != "/v1/chat/completions":
            page = self.told.pages.get(path)
            return (404, "application/json", b"{}") if page is None else (200, "application/json", _json(page))
        usage = {"usage": {"prompt_tokens": 9, "completion_tokens": self.tokens}} if self.tokens is not None else {}
        if not body.get("stream"):
            choice = {"index": 0, "message": self._message(), "finish_reason": self.finish}
            choice["logprobs"] = _logprobs(self.told.whole_logprobs)
            return 200, "application/json", _json({"choices": [choice], **usage})
        first = {"index": 0, "delta": self._message(), "token_ids": list(self.told.ids)}
        first["logprobs"] = _logprobs(self.told.logprobs)
        last = {"index": 0, "delta": {}, "finish_reason": self.finish}
        events = [{"choices": [first]}, {"choices": [last]}, {"choices": [], **usage}]
        spelled = [*map(_json, events), b"[DONE]"]
        return 200, "text/event-stream", b"".join(b"data: %b\n\n" % event for event in spelled)

    def _message(self) -> dict[str, Any]:
        calls = [
            {"index": at, "id": f"c{at}", "function": {"name": call.name, "arguments": call.arguments_text}}
            for at, call in enumerate(self.said.calls)
        ]
        return {"reasoning": self.said.reasoning, "content": self.said.content, "tool_calls": calls}


def _logprobs(pieces: Sequence[bytes] | None) -> dict[str, Any] | None:
    if pieces is None:
        return None
    return {"content": [{"token": piece.decode("utf-8", "replace"), "bytes": list(piece)} for piece in pieces]}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
