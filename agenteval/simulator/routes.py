"""The endpoint's paths, for both doors: in-process and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import agenteval
from agenteval.server import JSON, SSE, Response, at_once, error_response
from agenteval.simulator.chunks import EPOCH
from agenteval.simulator.engine import Engine
from agenteval.simulator.request import Refusal

OWNER = "agenteval-simulator"

IN_JSON = (("content-type", JSON),)
IN_EVENTS = (("content-type", SSE),)


def respond(engine: Engine, method: str, path: str, body: bytes) -> Response:
    """The answer to one HTTP request."""
    try:
        if (method, path) == ("POST", "/v1/chat/completions"):
            return _chat(engine, body)
        if method == "GET" and path in PAGES:
            return Response(200, IN_JSON, at_once(json.dumps(PAGES[path](engine)).encode()))
        raise Refusal(404, f"there is no {method} {path} here")
    except Refusal as refusal:
        return error_response(refusal.status, str(refusal), refusal.param)


def _chat(engine: Engine, body: bytes) -> Response:
    job = engine.admit_bytes(body)
    if job.received.stream:
        return Response(200, IN_EVENTS, engine.frames(job))
    return Response(200, IN_JSON, engine.whole(job))


def _models(engine: Engine) -> dict[str, Any]:
    profile = engine.profile
    model = {
        "id": profile.model,
        "object": "model",
        "created": EPOCH,
        "owned_by": OWNER,
        "root": profile.model,
        "parent": None,
        "max_model_len": profile.max_model_len,
    }
    return {"object": "list", "data": [model]}


def _server_info(engine: Engine) -> dict[str, Any]:
    profile = engine.profile
    return {
        "server": OWNER,
        "version": agenteval.__version__,
        "profile": profile.name,
        "title": profile.title,
        "served_model_name": profile.model,
        "hardware": profile.hardware,
        "tool_call_parser": profile.client_family,
        "dialect": profile.dialect,
        "ailments": [f"{ailment.kind}:{ailment.limit}:{ailment.effect}" for ailment in profile.ailments],
        "context_length": profile.max_model_len,
    }


def _health(_: Engine) -> dict[str, Any]:
    return {"status": "ok"}


PAGES: dict[str, Callable[[Engine], dict[str, Any]]] = {
    "/v1/models": _models,
    "/get_server_info": _server_info,
    "/health": _health,
}
"""What a GET answers at once."""
