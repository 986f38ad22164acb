"""A recorded run as an endpoint: the frames that came then, byte for byte, in the time that they took or at once.

`GET /v1/models` tells that this is a recording, of which run, and how the server of then spelled the API. A request
that was not recorded gets 404 and a sentence, one that was recorded in the other form (streamed, whole) 409. A recorded
reply that broke off breaks off again; one that never began is a 502. Not covered: time to connect, and a reset, which
comes as a plain end of the connection.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from agenteval.canonical import JsonProblem, parse_json
from agenteval.clock import NS_PER_S, Clock
from agenteval.dialects.detect import RECORDING
from agenteval.replay.archive import Archive, Miss
from agenteval.server import JSON, CutError, Response, at_once, error_response
from agenteval.store import Manifest, Place, StoredRun, index_frames, recording_at
from agenteval.wire import Recording

CHAT = ("POST", "/v1/chat/completions")
NOT_REPEATED = frozenset({"transfer-encoding", "content-length", "connection", "keep-alive", "trailer", "upgrade"})
"""Headers about the connection of then; this one has its own."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*")


def archive_of(stored: StoredRun) -> Archive:
    """All replies of a run whose requests were kept, in the order of its journal."""
    found: dict[str, tuple[dict[str, Any] | None, Place]] = {}
    for cell in dict.fromkeys(record.cell for record in stored.records):
        for step, body, place in index_frames(stored.path, cell):
            found[step] = (body, place)
    archive = Archive()
    for record in stored.records:
        if record.id in found and (body := found[record.id][0]) is not None:
            archive.add(record.id, body, found[record.id][1])
    return archive


class ReplayEndpoint:
    """Answers requests from a run's recording. `clock`: in whose time frames come again; None: all at once."""

    def __init__(self, manifest: Manifest, archive: Archive, clock: Clock | None) -> None:
        self._manifest = manifest
        self._archive = archive
        self._clock = clock
        self._pages: Mapping[str, Callable[[], Any]] = {"/v1/models": self._models, "/health": lambda: {"status": "ok"}}

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """The answer to one HTTP request."""
        if (method, path) == CHAT:
            return self._chat(body)
        if method == "GET" and path in self._pages:
            return Response(200, (("content-type", JSON),), at_once(json.dumps(self._pages[path]()).encode()))
        return error_response(404, f"there is no {method} {path} here: this is a recording")

    def _chat(self, data: bytes) -> Response:
        try:
            body = parse_json(data.decode())
        except (JsonProblem, UnicodeDecodeError) as problem:
            return error_response(400, f"the body is not JSON: {problem}")
        if not isinstance(body, dict):
            return error_response(400, "the body is no JSON object")
        found = self._archive.find(body)
        if isinstance(found, Miss):
            said = f"this is a recording of run {self._manifest.run}: {found.reason}"
            return error_response(409 if found.known else 404, said)
        recording = recording_at(found.place)
        if recording.status is None:
            fault = recording.fault.detail if recording.fault else "nothing came"
            return error_response(502, f"when this was recorded ({found.step}), there was no answer: {fault}")
        return Response(recording.status, _headers(recording), self._body(recording))

    async def _body(self, recording: Recording) -> AsyncGenerator[bytes, None]:
        began = self._clock.now() if self._clock else 0
        for after, chunk in recording.chunks:
            await self._until(began + after)
            yield chunk
        await self._until(began + recording.ended)
        if recording.fault is not None:
            raise CutError(recording.fault.detail)

    async def _until(self, at: int) -> None:
        if self._clock is not None and (left := at - self._clock.now()) > 0:
            await self._clock.sleep(left / NS_PER_S)

    def _models(self) -> dict[str, Any]:
        endpoint = self._manifest.endpoint
        then = {key: endpoint.get(key) for key in ("dialect", "simulated", "server_version")}
        model = {
            "id": endpoint.get("model"),
            "object": "model",
            "created": 0,
            "owned_by": RECORDING,
            "max_model_len": endpoint.get("context_window"),
            "recording": {"run": self._manifest.run, "timed": self._clock is not None, **then},
        }
        return {"object": "list", "data": [model]}


def _headers(recording: Recording) -> tuple[tuple[str, str], ...]:
    """Those of then, but for the connection's, and for what no server may send."""
    return tuple(
        (name, value)
        for name, value in recording.headers
        if name not in NOT_REPEATED and _HEADER.fullmatch(f"{name}: {value}")
    )
