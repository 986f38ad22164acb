"""Known rates on a real server: Markov chains whose calls are wrong as often as they are set to be, unless the server's
grammar forbids it. Our counts must be plausible for these rates, and our token counts those of the server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from agenteval.outcome import StepRecord
from tests.servers import metrics
from tests.servers.constrained import assert_constraint_is_told
from tests.servers.driving import AS_THE_MODEL_SAYS, Played, both_counts, play
from tests.servers.intervals import interval, plausible
from tests.servers.metrics import Counted
from tests.servers.models import glm_chain, oss_chain
from tests.servers.rows import on
from tests.servers.started import Started
from tests.servers.table import TABLE

pytestmark = pytest.mark.servers
everywhere = on("llamacpp-glm", "vllm-glm", "vllm-oss", "sglang-glm", "sglang-llama-oss")
REPLIES, ENOUGH = 320, 300
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

    deployment: str
    way: str
    played: Played
    counted: Counted
    rates: Rates

    @property
    def records(self) -> tuple[StepRecord, ...]:
        """Those of requests that got a reply that could be judged."""
        return tuple(record for record in self.played.stored.records if record.judged)

    def note(self, what: str, seen: object, known: object, *, right: bool | None = None) -> bool:
        return TABLE.add(self.deployment, f"{what} ({self.way})", seen, known, right=right)


@pytest.fixture(scope="session", params=["--stream", "--no-stream"])
def sampled(served: Started, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    way, before = str(request.param), metrics.read(served)
    options = ("--trials", str(REPLIES), "--concurrency", "8", "--thinking", "on", "--extra-body", AS_THE_MODEL_SAYS)
    played = play(served, "markov.yaml", tmp_path_factory.mktemp("rates"), *options, "--no-preflight", way)
    assert played.code in (0, 1), played.said
    name, counted = served.deployment.name, metrics.read(served).since(before)
    return Sampled(name, way.removeprefix("--"), played, counted, RATES[name, way])


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
    right = [
        sampled.note(name, f"{count} of {of} = {shown(count, of)}", f"{rate:.2%}", right=plausible(count, of, rate))
        for name, (count, of, rate) in seen.items()
    ]
    assert sampled.note("replies", len(replies), f"at least {ENOUGH}", right=len(replies) >= ENOUGH)
    assert all(right), (seen, dict(kinds))


def shown(count: int, of: int) -> str:
    low, high = interval(count, of)
    return f"{count / of if of else 0:.2%} [{low:.2%}, {high:.2%}]"


@everywhere
def test_the_report_says_whether_calls_were_constrained(served: Started, sampled: Sampled) -> None:
    assert_constraint_is_told(served, sampled.played)
    assert "Yet there were" not in sampled.played.notes


@everywhere
def test_token_counts_are_those_on_the_wire(served: Started, sampled: Sampled) -> None:
    ours, theirs = both_counts(sampled.played)
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    told = "prompt, completion, cached" + (", reasoning" if any(usage[3] is not None for usage in theirs) else "")
    assert sampled.note("usage on the wire", f"{same} replies equal in {told}", f"{len(theirs)}", right=ours == theirs)
    assert all(record.tokens.context == record.tokens.prompt for record in sampled.records)


@everywhere
def test_reasoning_tokens_are_told_where_the_server_tells_them(served: Started, sampled: Sampled) -> None:
    """Unknown stays unknown on llama.cpp; elsewhere a reply that thought has a count."""
    thinking = [record for record in sampled.records if record.reply and record.reply.reasoning]
    counted = sum(bool(record.tokens.reasoning) for record in thinking)
    known = 0 if served.deployment.server == "llamacpp" else len(thinking)
    assert thinking
    assert sampled.note("thinking replies with a count of it", counted, known)


@everywhere
def test_sums_are_those_of_the_servers_metrics(served: Started, sampled: Sampled) -> None:
    """A request that was lost on a connection which the server had just closed is in neither."""
    tokens = [record.tokens for record in sampled.records]
    counted = sampled.counted
    sums = {
        "requests": (len(tokens), counted.requests),
        "prompt tokens": (sum(item.prompt or 0 for item in tokens), counted.prompt),
        "completion tokens": (sum(item.completion or 0 for item in tokens), counted.completion),
        "cached tokens": (sum(item.cached or 0 for item in tokens), counted.cached),
    }
    right = [sampled.note(f"{name} in all", *pair) for name, pair in sums.items()]
    assert all(right), sums
