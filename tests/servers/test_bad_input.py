"""What a user reads when a real server refuses: one sentence that says why, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.deployments import Server
from tests.servers.driving import play
from tests.servers.home import HERE
from tests.servers.rows import on
from tests.servers.started import KEY, Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
everywhere = on("llamacpp-glm", "llamacpp-oss", "vllm-glm", "vllm-oss", "sglang-glm", "sglang-llama-oss")
BAD_GRAMMAR = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/nope"}}}
CASES: Mapping[str, tuple[str, ...]] = {
    "unknown model": ("--model", "nope"),
    "wrong key": ("--api-key", "wrong"),
    "too many tokens asked for": ("--max-tokens", "100000"),
    "prompt too long": ("--no-preflight",),
    "negative temperature": ("--extra-body", '{"temperature": -1}'),
    "bad grammar": ("--no-preflight", "--patience", "0", "--extra-body", json.dumps({"response_format": BAD_GRAMMAR})),
}


@dataclass(frozen=True, slots=True)
class Told:
    """The exit code, and words that stand in one line on stderr."""

    code: int
    words: str


GOES_ON = 1
LOST = 3
OVERFLOW = "exceeds the available context size (8192 tokens)"
TOLD: Mapping[Server, Mapping[str, Told]] = {
    "llamacpp": {
        "unknown model": Told(GOES_ON, "Note: the endpoint does not list 'nope'; it lists {model}."),
        "wrong key": Told(LOST, "refuses the key it was given (HTTP 401: Invalid API Key)"),
        "too many tokens asked for": Told(GOES_ON, "Preflight: "),
        "prompt too long": Told(LOST, OVERFLOW),
        "negative temperature": Told(GOES_ON, "Preflight: "),
        "bad grammar": Told(LOST, "JSON schema error at #: cannot resolve $ref #/nope"),
    },
    "vllm": {
        "unknown model": Told(LOST, "does not know the model 'nope' (HTTP 404: The model `nope` does not exist."),
        "wrong key": Told(LOST, "refuses the key it was given (HTTP 401: Unauthorized)"),
        "too many tokens asked for": Told(
            LOST, "HTTP 400: max_tokens=100000 cannot be greater than max_model_len=8192."
        ),
        "prompt too long": Told(LOST, "HTTP 400: This model's maximum context length is 8192 tokens."),
        "negative temperature": Told(
            LOST, "refuses our request (HTTP 400: temperature must be non-negative, got -1.0."
        ),
        "bad grammar": Told(LOST, "Grammar error: Pointer '/nope' does not exist"),
    },
    "sglang": {
        "unknown model": Told(GOES_ON, "Note: the endpoint does not list 'nope'; it lists {model}."),
        "wrong key": Told(LOST, "refuses the key it was given (HTTP 401: Unauthorized)"),
        "too many tokens asked for": Told(LOST, "HTTP 400: max_completion_tokens is too large: 100000."),
        "prompt too long": Told(LOST, "is longer than the model's context length (8192 tokens)."),
        "negative temperature": Told(LOST, "refuses our request (HTTP 400: temperature must be a non-negative finite"),
        "bad grammar": Told(LOST, "Cannot find field nope in #/nope"),
    },
}
"""What each server makes of each mistake. llama.cpp caps the tokens, and takes any model's name and temperature."""
OSS_ON_VLLM: Mapping[str, Told] = {
    "too many tokens asked for": Told(GOES_ON, "Preflight: "),
    "prompt too long": Told(LOST, "exceeds model's maximum context length (8192)."),
    "bad grammar": Told(LOST, "Invalid grammar specification"),
}
"""vLLM renders gpt-oss's prompts by another way, which caps the tokens and has words of its own."""


@everywhere
@pytest.mark.parametrize("case", CASES)
def test_a_refusal_is_told_in_one_sentence(served: Started, tmp_path: Path, case: str) -> None:
    scenario = HERE / "markov.yaml"
    if case == "prompt too long":
        scenario = tmp_path / "long.yaml"
        text = (HERE / "markov.yaml").read_text()
        scenario.write_text(text.replace("How many lines", "How many lines " + "x y z " * 6000))
    mode = "on" if served.deployment.family == "harmony" else "off"
    played = play(served, str(scenario), tmp_path / "out", "--thinking", mode, *CASES[case])
    TABLE.tell(served.deployment.name, f"agenteval run …   # {case}", played.code, played.said)
    told = TOLD[served.deployment.server][case]
    if served.deployment.name == "vllm-oss":
        told = OSS_ON_VLLM.get(case, told)
    words = told.words.format(model=served.deployment.model)
    line = next((line for line in played.said.splitlines() if words in line), played.said.splitlines()[-1])
    known = f"exit {told.code}, … {words} …"
    right = words in line and played.code == told.code
    assert TABLE.add(served.deployment.name, f"bad input, {case}", f"exit {played.code}, {line}", known, right=right)
    assert KEY not in played.said
    assert "Traceback" not in played.said
