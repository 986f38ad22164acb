"""Known rates on a real server: Markov chains whose calls are wrong as often as they are set to be, unless the server's
grammar forbids it. Our counts must be plausible for these rates, and our token counts those of the server.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from agenteval.outcome import StepRecord
from tests.servers import metrics
from tests.servers.driving import AS_THE_MODEL_SAYS, Played, play, usage_on_the_wire
from tests.servers.intervals import plausible
from tests.servers.metrics import Counted
from tests.servers.models import glm_chain, oss_chain
from tests.servers.rows import on
from tests.servers.started import Started

pytestmark = pytest.mark.servers
everywhere = on("llamacpp-glm", "vllm-glm", "vllm-oss", "sglang-glm", "sglang-llama-oss")
REPLIES = 320
REQUIRED = "'path' is a required property"


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the calls that came; of all replies: `several` calls in one, markup `leaked` as text, `empty`."""

    unknown_tool: float = 0.0
    missing_key: float = 0.0
    strange_key: float = 0.0
    broken_json: float = 0.0
    several: float = 0.0
    leaked: float = 0.0
    empty: float = 0.0


DECLARED = glm_chain.among(["path", "limit"])
GLM_NAMES_AND_KEYS = Rates(missing_key=glm_chain.missing_key(DECLARED), several=glm_chain.MORE_CALLS)
GLM_STREAMED_BY_VLLM = Rates(
    missing_key=glm_chain.missing_and_none_repeated(DECLARED),
    broken_json=glm_chain.repeated_key(DECLARED),
    several=glm_chain.MORE_CALLS,
)
"""vLLM 0.32.0 stops streaming the arguments of a call at a key that came before; without a stream they are whole."""
OSS = Rates(missing_key=oss_chain.MISSING_KEY, broken_json=oss_chain.BROKEN_JSON)
OSS_WHOLE = oss_chain.MISSING_KEY / (1 - oss_chain.BROKEN_JSON)
OSS_STREAMED_BY_SGLANG = Rates(missing_key=OSS_WHOLE, empty=oss_chain.BROKEN_JSON)
OSS_BY_SGLANG = Rates(
    missing_key=OSS_WHOLE, leaked=1 - oss_chain.ANALYSIS, empty=oss_chain.ANALYSIS * oss_chain.BROKEN_JSON
)
"""SGLang 0.5.23 drops a call whose arguments are no JSON; without a stream it takes a call for text when no analysis
came before it."""

RATES: Mapping[tuple[str, str], Rates] = {
    ("llamacpp-glm", "--stream"): Rates(several=glm_chain.MORE_CALLS),
    ("llamacpp-glm", "--no-stream"): Rates(several=glm_chain.MORE_CALLS),
    ("vllm-glm", "--stream"): GLM_STREAMED_BY_VLLM,
    ("vllm-glm", "--no-stream"): GLM_NAMES_AND_KEYS,
    ("vllm-oss", "--stream"): OSS,
    ("vllm-oss", "--no-stream"): OSS,
    ("sglang-glm", "--stream"): GLM_NAMES_AND_KEYS,
    ("sglang-glm", "--no-stream"): GLM_NAMES_AND_KEYS,
    ("sglang-llama-oss", "--stream"): OSS_STREAMED_BY_SGLANG,
    ("sglang-llama-oss", "--no-stream"): OSS_BY_SGLANG,
}
"""Deployment, way of asking → the rates that must show."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """One run of many replies, and what the server counted meanwhile."""

    played: Played
    counted: Counted
    rates: Rates

    @property
    def records(self) -> tuple[StepRecord, ...]:
        """Those of requests that got a reply that could be judged."""
        return tuple(record for record in self.played.stored.records if record.judged)


@pytest.fixture(scope="session", params=["--stream", "--no-stream"])
def sampled(served: Started, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    before = metrics.read(served)
    options = ("--trials", str(REPLIES), "--concurrency", "8", "--thinking", "on", "--extra-body", AS_THE_MODEL_SAYS)
    played = play(
        served, "markov.yaml", tmp_path_factory.mktemp("rates"), *options, "--no-preflight", str(request.param)
    )
    assert played.code in (0, 1), played.said
    return Sampled(played, metrics.read(served).since(before), RATES[served.deployment.name, str(request.param)])


@everywhere
def test_counts_of_findings_are_plausible_for_the_known_rates(served: Started, sampled: Sampled) -> None:
    replies = [record.reply for record in sampled.records if record.reply is not None]
    calls = sum(len(reply.tool_calls) for reply in replies)
    findings = [finding for record in sampled.records for finding in record.findings]
    kinds = Counter(finding.kind for finding in findings)
    broken = [finding.detail for finding in findings if finding.kind == "schema_violation"]
    rates = sampled.rates
    seen = {
        "unknown_tool": (kinds["unknown_tool"], calls, rates.unknown_tool),
        "missing_key": (sum(REQUIRED in detail for detail in broken), calls, rates.missing_key),
        "strange_key": (sum("bogus_key" in detail for detail in broken), calls, rates.strange_key),
        "broken_json": (kinds["invalid_json"], calls, rates.broken_json),
        "several": (sum(len(reply.tool_calls) > 1 for reply in replies), len(replies), rates.several),
        "leaked": (kinds["leaked_markup"], len(replies), rates.leaked),
        "empty": (kinds["empty_reply"], len(replies), rates.empty),
    }
    print(served.deployment.name, json.dumps(seen), dict(kinds))
    assert len(replies) >= 300
    unlikely = {name: counts for name, counts in seen.items() if not plausible(*counts)}
    assert not unlikely, unlikely


@everywhere
def test_token_counts_are_those_on_the_wire(served: Started, sampled: Sampled) -> None:
    stored = sampled.played.stored
    for record in stored.records:
        usage = usage_on_the_wire(stored, record)
        tokens = record.tokens
        assert (tokens.prompt, tokens.completion) == (usage["prompt_tokens"], usage["completion_tokens"])
        assert tokens.context == tokens.prompt
        assert tokens.cached == (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
        assert tokens.reasoning == (usage.get("reasoning_tokens") if reasoning is None else reasoning)


@everywhere
def test_sums_are_those_of_the_servers_metrics(served: Started, sampled: Sampled) -> None:
    tokens = [record.tokens for record in sampled.records]
    counted = sampled.counted
    assert counted.requests in (len(tokens), None)
    assert sum(item.prompt or 0 for item in tokens) == counted.prompt
    assert sum(item.completion or 0 for item in tokens) == counted.completion
    assert sum(item.cached or 0 for item in tokens) == counted.cached
