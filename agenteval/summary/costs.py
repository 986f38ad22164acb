"""What one side of a comparison cost, over the conversations that it brought to an end. Pure.

Tokens are the server's where it tells them. Unknown is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from agenteval.outcome import StepRecord
from agenteval.stats import median
from agenteval.summary.rows import cache_hit_rate, known, speeds
from agenteval.summary.sides import Played

Number = TypeVar("Number", int, float)

LARGEST_BLOCK = 256
"""Tokens. Servers cache whole blocks, of 16 to 64 tokens as a rule, and of 128 in vLLM on a CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Tokens over all requests. `prefilled`: sent and not cached, by the server; `summaries`: read and written for a
    policy's summaries (they are part of `sent` and `output`, too); `cached_share`: cached of sent, by the server;
    `reusable_share`: what of the prompts stood in the request before, by our own rendering; `breaks`: who changed what
    had been sent (policy, template, golden history), or the server forgot it (eviction). `policy_ms`: the policies' own
    CPU, median per step; `summary_ms`: wall time of all summaries; `ttft_by_turn`: medians of first steps, and
    `decode_by_turn`: pooled. Speeds are None where the runs do not allow comparing them."""

    sent: int | None
    prefilled: int | None
    output: int | None
    summaries: int | None
    cached_share: float | None
    reusable_share: float | None
    breaks: Mapping[str, int]
    eligible_cache_hit_rate: float | None
    ttft_ms: float | None
    decode_tok_s: float | None
    ttft_by_turn: Mapping[int, float | None]
    decode_by_turn: Mapping[int, float | None]
    policy_ms: float | None
    summary_ms: float | None


def answered(cells: Iterable[Played]) -> list[StepRecord]:
    """The requests that cost something: the agent's and those for summaries, each attempt that got a reply."""
    return [
        step for cell in cells for step in cell.requests if step.purpose in ("agent", "summary") and step.error is None
    ]


def prefilled(requests: Sequence[StepRecord]) -> int | None:
    """Prompt tokens that the server had to compute; None where it does not tell what was cached."""
    sent, cached = _sum(step.tokens.context for step in requests), _sum(step.tokens.cached for step in requests)
    return None if sent is None or cached is None else sent - cached


def output(requests: Sequence[StepRecord]) -> int | None:
    return _sum(step.tokens.completion for step in requests)


def summarised(requests: Sequence[StepRecord]) -> int | None:
    """Tokens read and written for a policy's summaries."""
    asked = [step.tokens for step in requests if step.purpose == "summary"]
    return _sum(count for tokens in asked for count in (tokens.context, tokens.completion))


def cost_of(played: Sequence[Played]) -> Cost:
    """Over the conversations of a side."""
    requests = answered(played)
    steps = [step for cell in played for step in cell.steps]
    asked = [step for step in requests if step.purpose == "summary"]
    sent, cached = _sum(step.tokens.context for step in requests), _sum(step.tokens.cached for step in requests)
    reused = [(step.tokens.reusable, step.tokens.messages, step.tokens.tools) for step in steps]
    told = [(r, m + t) for r, m, t in reused if r is not None and m is not None and t is not None]
    rendered = sum(size for _, size in told)
    waited = [step.timing.total_ms if step.timing else None for step in asked]
    return Cost(
        sent=sent,
        prefilled=prefilled(requests),
        output=output(requests),
        summaries=summarised(requests),
        cached_share=cached / sent if sent and cached is not None else None,
        reusable_share=sum(again for again, _ in told) / rendered if rendered else None,
        breaks=_breaks(played),
        eligible_cache_hit_rate=cache_hit_rate(steps),
        ttft_ms=median(known(steps, "ttft_ms")),
        decode_tok_s=speeds(steps).decode_tok_s,
        ttft_by_turn={turn: _ttft(group) for turn, group in steps_by_turn(steps)},
        decode_by_turn={turn: speeds(group).decode_tok_s for turn, group in steps_by_turn(steps)},
        policy_ms=median(step.transfer.policy_ms for step in steps if step.transfer.policy_ms is not None),
        summary_ms=_sum(waited) if asked else 0.0,
    )


def untimed(cost: Cost) -> Cost:
    """Without what cannot be set beside others."""
    return replace(cost, ttft_ms=None, decode_tok_s=None, ttft_by_turn={}, decode_by_turn={}, summary_ms=None)


def _sum(values: Iterable[Number | None]) -> Number | None:
    """None if any is unknown."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _ttft(steps: Sequence[StepRecord]) -> float | None:
    """The median of first steps."""
    return median(known([step for step in steps if step.step == 1], "ttft_ms"))


def _breaks(played: Sequence[Played]) -> dict[str, int]:
    """How often the prefix of a request was not the request before: by policy, by template, and what the server had
    forgotten although it was sent again. A server that never had anything cached has nothing to forget."""
    found: Counter[str] = Counter()
    caches = any(step.tokens.cached for cell in played for step in cell.requests)
    for cell in played:
        for step in cell.steps:
            if step.tokens.broken_by is not None:
                found[step.tokens.broken_by] += 1
        found["eviction"] += sum(caches and _evicted(before, step) for before, step in pairwise(cell.steps))
    return {who: count for who, count in found.items() if count}


def _evicted(before: StepRecord, step: StepRecord) -> bool:
    """Whether a server had less than half of what it could reuse of the request before, and lacks more than the block
    that it keeps only whole."""
    cached, reusable = step.tokens.cached, step.tokens.reusable
    if cached is None or reusable is None or before.error is not None:
        return False
    return cached < reusable / 2 and reusable - cached >= LARGEST_BLOCK


def steps_by_turn(steps: Sequence[StepRecord]) -> list[tuple[int, list[StepRecord]]]:
    """Steps of each turn, in order."""
    groups: dict[int, list[StepRecord]] = {}
    for step in steps:
        groups.setdefault(step.turn, []).append(step)
    return sorted(groups.items())
