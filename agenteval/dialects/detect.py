"""Which dialect an endpoint speaks, from what it says of itself; and which family a model's name points to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agenteval.dialects.dialect import DIALECTS

PROBES: tuple[str, ...] = ("/v1/models", "/version", "/props", "/get_server_info")
"""GET paths, in the order in which they are asked until one is recognised."""

VERSION_PATHS: Mapping[str, str] = {"vllm": "/version", "sglang": "/get_server_info", "llamacpp": "/props"}
"""Dialect → the GET path that tells the server's version."""

SIMULATOR = "agenteval-simulator"
RECORDING = "agenteval-recording"
"""`owned_by` of our own endpoints: the simulator, served over HTTP, and a recorded run."""

OWNERS: Mapping[str, str] = {
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llamacpp",
    SIMULATOR: "sglang",
}
"""`owned_by` in the list of models → dialect (the simulator imitates SGLang's wire)."""


@dataclass(frozen=True, slots=True)
class PlayedBack:
    """The run that an endpoint replays, and whether its replies take the time that they took then."""

    run: str
    timed: bool


@dataclass(frozen=True, slots=True)
class Detection:
    """The dialect and the sentence that says why. `simulated`: it is an agenteval simulator, served over HTTP, or a
    recording of one; `recording`: it replays a run."""

    dialect: str
    evidence: str
    version: str | None = None
    simulated: bool = False
    recording: PlayedBack | None = None


def recognise(path: str, answer: Any) -> Detection | None:
    """What one probe's JSON answer tells; None: nothing."""
    if not isinstance(answer, dict):
        return None
    if path == "/v1/models":
        return _by_owner(answer)
    if path == "/version" and isinstance(answer.get("version"), str):
        return Detection("vllm", "GET /version answers as vLLM does", answer["version"])
    if path == "/props" and "default_generation_settings" in answer:
        return Detection("llamacpp", "GET /props answers as llama-server does", _text(answer.get("build_info")))
    if path == "/get_server_info" and ("tp_size" in answer or "internal_states" in answer):
        return Detection("sglang", "GET /get_server_info answers as SGLang does", _text(answer.get("version")))
    return None


def context_window(path: str, answer: Any, model: str) -> int | None:
    """The tokens that a prompt and its reply may have together, as the answer to a probe tells; None: it does not.

    vLLM and SGLang list `max_model_len` beside a model. llama-server tells the n_ctx of a slot under `/props`, a newer
    one also as `meta.n_ctx` beside a model. `n_ctx_train`, for which a model was trained, is no limit of the server.
    """
    if not isinstance(answer, dict):
        return None
    if path == "/props":
        return _tokens(_map(answer.get("default_generation_settings")).get("n_ctx"))
    if path != "/v1/models":
        return None
    entries = _entries(answer)
    own = [entry for entry in entries if entry.get("id") == model] or (entries if len(entries) == 1 else [])
    told = (
        _tokens(value) for entry in own for value in (entry.get("max_model_len"), _map(entry.get("meta")).get("n_ctx"))
    )
    return next((window for window in told if window is not None), None)


def _entries(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models of a listing."""
    data = answer.get("data")
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _by_owner(answer: Mapping[str, Any]) -> Detection | None:
    for model in _entries(answer):
        owner = model.get("owned_by")
        if owner == RECORDING:
            return _recording(model.get("recording"))
        if isinstance(owner, str) and owner in OWNERS:
            evidence = f"GET /v1/models says owned_by {owner}"
            return Detection(OWNERS[owner], evidence, simulated=owner == SIMULATOR)
    return None


def _recording(told: Any) -> Detection | None:
    """What a recording tells of the endpoint that was recorded."""
    dialect = _text(told.get("dialect")) if isinstance(told, dict) else None
    if dialect not in DIALECTS:
        return None
    return Detection(
        dialect,
        f"it is a recording of run {told.get('run')}",
        _text(told.get("server_version")),
        simulated=told.get("simulated") is True,
        recording=PlayedBack(str(told.get("run")), told.get("timed") is True),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


FAMILY_NAMES: tuple[tuple[str, str | None], ...] = (
    (r"distill|nemotron|embed|rerank", None),  # trained on other formats than the model in their name has
    (r"glm[-_.]?(4[-_.]?[7-9]|5)(?!b|\d)", "glm47"),
    (r"glm[-_.]?4[-_.]?[56](?!b|\d)", "glm45"),
    (r"gpt[-_.]?oss", "harmony"),
    (r"kimi[-_.]?k2", "kimi_k2"),
    (r"deepseek[-_.]?v3[._]2[-_.]?exp", "deepseek_v31"),
    (r"deepseek[-_.]?(v3[._]2|v4)", "deepseek_v32"),
    (r"deepseek[-_.]?v3[._]1", "deepseek_v31"),
    (r"deepseek[-_.]?v3(?![._]?\d)", "deepseek_v3"),
    (r"deepseek", None),
    (r"minimax[-_.]?m2", "minimax_m2"),
    (r"gemma[-_.]?4", "gemma4"),
    (r"qwen[-_.]?3([._]5|[-_.]?coder)", "qwen3_coder"),
    (r"qwen[-_.]?(2[._]5|3(?![._]?\d))", "hermes"),
    (r"(^|/|\bnous\w*-)hermes[-_.]?[234]", "hermes"),
    (r"llama[-_.]?3[._][123](?!\d)", "llama3_json"),
    (r"mistral[-_.](small|medium|large|nemo|7b-instruct-v0\.3)|ministral|magistral|devstral", "mistral"),
)
"""Patterns of names, in lower case; the first that is found in a model's name counts. What a pattern leaves out on
purpose: earlier models of a row that wrote calls otherwise or not at all (GLM-4-9B, Llama 3, Mistral 7B v0.1)."""


def family_of_model(model: str) -> str | None:
    """The native format that a served model's name points to; None if it points nowhere."""
    name = model.lower()
    return next((family for pattern, family in FAMILY_NAMES if re.search(pattern, name)), None)
