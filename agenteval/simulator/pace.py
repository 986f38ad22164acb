"""An engine's single-stream pace, derived from the published tables in `agenteval/data/reference/`. Here that of
GLM-4.7; those of other models are in `dgx_spark`.

What the tables mean (they call it tok/s, and it is not): with speculative decoding on, the streamed "tok/s" are
*chunks* per second, one chunk per engine step; the server's own log says how many *tokens* per second that is.

    step(context)   1 / chunk rate of `glm47_context_sweep.csv`, linear in context between its rows, the last slope
                    kept beyond them, the first row's value before them
    tokens a step   server throughput / chunk rate of the shortest row of `glm47_eagle_streaming.csv`: 16.77 / 7.58
                    = 2.21. One constant, as the acceptance was found to be the same at every context
    first token     base + slope * context + uncached / prefill rate

The sweep ran on a warm prefix cache, so its TTFT gives base and slope: 119.0 ms + 2.40 ms per 1,000 tokens, rms
residual 5.7 ms. The prefill rate is the slope of what is left of TTFT in `glm47_agentic_10_turns.csv` over each
turn's *new* tokens: 1.148 ms a token (871 tok/s), rms residual 446 ms over seven turns, so an order of magnitude and
no more. That fit's intercept, 664 ms, is left out on purpose: those TTFTs were taken at the first *visible* chunk,
which comes some steps of hidden call markup after the first token, and those steps are simulated as steps.

Jitter is uniform and has the rms of the sweep's own residuals. Not covered: batching, queueing, cold starts.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from random import Random

MAX_BURST = 4
"""Most tokens that one engine step yields: one of the model, three of the draft."""


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line y = intercept + slope * x and the rms of what it leaves."""

    intercept: float
    slope: float
    residual: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one stream is served. Times in seconds, contexts in tokens; `steps` maps context to step time."""

    steps: tuple[tuple[float, float], ...]
    tokens_per_step: float
    ttft_base: float
    ttft_per_token: float
    prefill_per_token: float
    step_jitter: float
    ttft_jitter: float

    def first_token(self, context: int, cached: int, rng: Random) -> float:
        """Seconds from the request to its first token, `cached` of whose prompt need no prefill."""
        warm = self.ttft_base + self.ttft_per_token * context
        return warm + self.prefill_per_token * (context - cached) + _jitter(self.ttft_jitter, rng)

    def step(self, context: int, rng: Random) -> float:
        """Seconds of one decode step at this context."""
        return self.step_mean(context) + _jitter(self.step_jitter, rng)

    def step_mean(self, context: float) -> float:
        """Seconds of one decode step without jitter."""
        before, after = _segment(self.steps, context)
        slope = (after[1] - before[1]) / (after[0] - before[0])
        return before[1] + slope * (max(context, self.steps[0][0]) - before[0])

    def bursts(self, tokens: int, rng: Random) -> list[int]:
        """How many tokens each step yields until there are so many.

        The number of steps is tokens / tokens_per_step, rounded up or down by chance, so that the mean is right for
        short replies too: an end that cuts a last burst would make them look slower than the tables say.
        """
        wanted = tokens / self.tokens_per_step
        rounded = int(wanted) + (rng.random() < wanted % 1)
        steps = min(tokens, max(math.ceil(tokens / MAX_BURST), rounded))
        bursts = [self._burst(rng) for _ in range(steps)]
        missing = tokens - sum(bursts)
        while missing:
            at, change = rng.randrange(steps), 1 if missing > 0 else -1
            if 1 <= bursts[at] + change <= MAX_BURST:
                bursts[at] += change
                missing -= change
        return bursts

    def _burst(self, rng: Random) -> int:
        """The model's own token and as many of the draft's as it accepts in a row."""
        accepted = acceptance(self.tokens_per_step)
        tokens = 1
        while tokens < MAX_BURST and rng.random() < accepted:
            tokens += 1
        return tokens


@cache
def acceptance(tokens_per_step: float) -> float:
    """The acceptance a of each drafted token for which 1 + a + a² + a³ is the wanted mean (found by halving)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        too_few = sum(middle**power for power in range(MAX_BURST)) < tokens_per_step
        low, high = (middle, high) if too_few else (low, middle)
    return high


def fit(points: Sequence[tuple[float, float]], *, relative: bool = False) -> Line:
    """The least-squares line through (x, y) points; `relative`: what is least is the error as a share of y."""
    weights = [1 / y**2 if relative else 1.0 for _, y in points]
    total = sum(weights)
    mean_x, mean_y = (
        sum(weight * value for weight, value in zip(weights, column, strict=True)) / total
        for column in zip(*points, strict=True)
    )
    weighted = [(weight, x - mean_x, y - mean_y) for weight, (x, y) in zip(weights, points, strict=True)]
    slope = sum(weight * x * y for weight, x, y in weighted) / sum(weight * x**2 for weight, x, _ in weighted)
    left = sum(weight * (y - slope * x) ** 2 for weight, x, y in weighted)
    return Line(mean_y - slope * mean_x, slope, math.sqrt(left / total))


def warm_ttft() -> Line:
    """TTFT in ms over context, warm prefix cache."""
    return fit([(row["context_tokens"], row["ttft_ms"]) for row in table("glm47_context_sweep.csv")])


def prefill() -> Line:
    """What the warm line leaves of each agent turn's TTFT, in ms, over the turn's new tokens."""
    warm = warm_ttft()
    turns = [(row["context_tokens"], row["ttft_ms"]) for row in table("glm47_agentic_10_turns.csv")]
    starts = [0.0, *(context for context, _ in turns)]
    return fit(
        [
            (context - start, ttft - warm.intercept - warm.slope * context)
            for (context, ttft), start in zip(turns, starts, strict=False)
            if not math.isnan(ttft)
        ]
    )


def tokens_per_step() -> float:
    """Tokens that one streamed chunk carries: the server's throughput over the chunk rate."""
    throughput = next(row["eagle_on"] for row in table("glm47_eagle_server.csv") if row["eagle_off"] > 1)
    shortest = min(table("glm47_eagle_streaming.csv"), key=lambda row: row["context_tokens"])
    return throughput / shortest["eagle_on_chunks_s"]


@cache
def glm47_spark() -> Pace:
    """GLM-4.7-FP8 on four DGX Sparks, TP=4, EAGLE on."""
    steps = [(row["context_tokens"], 1 / row["decode_tok_s"]) for row in table("glm47_context_sweep.csv")]
    warm = warm_ttft()
    return Pace(
        steps=tuple(steps),
        tokens_per_step=tokens_per_step(),
        ttft_base=warm.intercept / 1000,
        ttft_per_token=warm.slope / 1000,
        prefill_per_token=prefill().slope / 1000,
        step_jitter=fit(steps).residual,
        ttft_jitter=warm.residual / 1000,
    )


def table(name: str) -> list[dict[str, float]]:
    """The numeric columns of a packaged reference table; an empty or textual field is NaN."""
    with (files("agenteval") / "data" / "reference" / name).open(encoding="utf-8") as lines:
        return [{key: _number(text) for key, text in row.items()} for row in csv.DictReader(lines)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _jitter(rms: float, rng: Random) -> float:
    return rms * math.sqrt(3) * (2 * rng.random() - 1)


Point = tuple[float, float]


def _segment(points: Sequence[Point], x: float) -> tuple[Point, Point]:
    for before, after in pairwise(points):
        if x < after[0]:
            return before, after
    return points[-2], points[-1]
