"""Single-stream pace of other models on one DGX Spark, from the same tables as `pace` and in its terms.

None of them is published with a draft that helps (`gptoss120b_eagle3.csv`: 0.98 to 1.02 times as fast), so each step
yields one token.

    gpt-oss-120b   step: 1 / 58.3 tok/s, the canonical build at one stream, whatever the context. The only prefill rate
                   is that of 256 streams together (6,629 tok/s), which flatters a single one. No TTFT is published:
                   the first token comes one step after the prefill
    Gemma-4-26B    step: 1 / decode rate of the closed loop's rows of one stream, each at the middle of its output.
                   First token: the line through their TTFT over the prompt (165 ms + 1 / 5,198 tok/s, least relative
                   error; worst rows 31 % off: prefill is not linear). Jitter: the median of their deviations
    Llama-3.3-70B  step: 1 / mean of the five tests (3.94 tok/s), jitter their spread. First token: the median TTFT,
                   309 ms. Their prompts' lengths are not published, so prefill costs nothing: long prompts look fast
"""

from __future__ import annotations

from functools import cache
from statistics import fmean, median, pstdev

from agenteval.simulator.pace import Pace, Point, fit, table

GPTOSS_BUILD = "canonical_tg"


@cache
def gptoss120b_spark() -> Pace:
    """gpt-oss-120b, MXFP4, the canonical build."""
    rates = next(row for row in table("gptoss120b_canonical_vs_handtuned.csv") if row["concurrency"] == 1)
    step = 1 / rates[GPTOSS_BUILD]
    prefill = table("gptoss120b_prefill_c256.csv")[0]["vanilla"]
    return _plain(_flat(step), ttft_base=step, prefill_per_token=1 / prefill)


@cache
def gemma4_spark() -> Pace:
    """Gemma-4-26B-A4B-it, BF16."""
    rows = single_streams()
    steps = sorted((row["prompt_tokens"] + row["output_tokens"] / 2, 1 / row["decode_per_user_tok_s"]) for row in rows)
    first = fit([(row["prompt_tokens"], row["ttft_s"]) for row in rows], relative=True)
    return _plain(
        tuple(steps),
        ttft_base=first.intercept,
        prefill_per_token=first.slope,
        step_jitter=fit(steps).residual,
        ttft_jitter=median(row["ttft_s_stddev"] for row in rows),
    )


def single_streams() -> list[dict[str, float]]:
    """The closed loop's rows of one stream without follow-up turns."""
    return [row for row in table("gemma4_closed_loop.csv") if row["concurrency"] == 1 and row["depth"] == 0]


@cache
def llama70b_spark() -> Pace:
    """Llama-3.3-70B, NVFP4."""
    rows = table("llama70b_speed_test.csv")
    return _plain(
        _flat(1 / fmean(row["tok_s"] for row in rows)),
        ttft_base=median(row["ttft_s"] for row in rows),
        prefill_per_token=0.0,
        step_jitter=pstdev(1 / row["tok_s"] for row in rows),
    )


def _plain(
    steps: tuple[Point, ...],
    *,
    ttft_base: float,
    prefill_per_token: float,
    step_jitter: float = 0.0,
    ttft_jitter: float = 0.0,
) -> Pace:
    """One token a step; a warm context costs nothing, since nothing is published of it."""
    return Pace(steps, 1.0, ttft_base, 0.0, prefill_per_token, step_jitter, ttft_jitter)


def _flat(step: float) -> tuple[Point, Point]:
    """The same step at every context."""
    return (0.0, step), (1.0, step)
