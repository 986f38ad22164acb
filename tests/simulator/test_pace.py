"""The engine's pace against the published tables that it is derived from."""

from __future__ import annotations

import math
from random import Random

import pytest

from agenteval.simulator import pace
from agenteval.simulator.pace import MAX_BURST, Pace, acceptance, fit, glm47_spark, table

SWEEP = table("glm47_context_sweep.csv")


@pytest.fixture(scope="module")
def spark() -> Pace:
    return glm47_spark()


@pytest.mark.parametrize("row", SWEEP, ids=lambda row: f"{row['context_tokens']:g}")
def test_chunk_rate_is_the_published_one(row: dict[str, float], spark: Pace) -> None:
    assert 1 / spark.step_mean(row["context_tokens"]) == pytest.approx(row["decode_tok_s"], rel=1e-9)


@pytest.mark.parametrize("row", SWEEP, ids=lambda row: f"{row['context_tokens']:g}")
def test_warm_first_token_is_the_published_one(row: dict[str, float], spark: Pace) -> None:
    """Within the fit's worst residual: 12.6 ms, at 512 tokens."""
    context = int(row["context_tokens"])
    rng = Random(3)
    times = [spark.first_token(context, context, rng) for _ in range(400)]
    assert sum(times) / len(times) * 1000 == pytest.approx(row["ttft_ms"], abs=13)


def test_steps_between_and_beyond_the_rows_lie_on_lines(spark: Pace) -> None:
    assert spark.step_mean(3072) == pytest.approx((spark.step_mean(2048) + spark.step_mean(4096)) / 2)
    assert spark.step_mean(42) == spark.step_mean(512)
    last = spark.step_mean(32768) - spark.step_mean(16384)
    assert spark.step_mean(49152) == pytest.approx(spark.step_mean(32768) + last)


def test_a_chunk_carries_about_two_point_two_tokens(spark: Pace) -> None:
    assert spark.tokens_per_step == pytest.approx(16.77 / 7.58)
    assert 100_000 / len(spark.bursts(100_000, Random(11))) == pytest.approx(spark.tokens_per_step, rel=1e-4)


@pytest.mark.parametrize("tokens", [3, 10, 25, 57])
def test_short_replies_have_the_same_mean(spark: Pace, tokens: int) -> None:
    rng = Random(12)
    steps = [len(spark.bursts(tokens, rng)) for _ in range(4_000)]
    assert tokens * len(steps) / sum(steps) == pytest.approx(spark.tokens_per_step, rel=0.02)


@pytest.mark.parametrize("tokens", range(12))
def test_bursts_are_of_one_to_four_tokens_and_none_is_lost(spark: Pace, tokens: int) -> None:
    for seed in range(50):
        bursts = spark.bursts(tokens, Random(seed))
        assert sum(bursts) == tokens
        assert all(1 <= burst <= MAX_BURST for burst in bursts)


def test_bursts_are_distributed_as_a_draft_is_accepted(spark: Pace) -> None:
    """One token: the first drafted one was refused; four: all three were accepted."""
    bursts = spark.bursts(200_000, Random(13))
    accepted = acceptance(spark.tokens_per_step)
    shares = [bursts.count(size) / len(bursts) for size in (1, 2, 3, 4)]
    wanted = [1 - accepted, accepted * (1 - accepted), accepted**2 * (1 - accepted), accepted**3]
    assert shares == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("mean", [1.0, 1.5, 2.2124, 3.9])
def test_acceptance_gives_the_mean_exactly(mean: float) -> None:
    """1 + a + a² + a³ is what a model and three drafted tokens yield."""
    accepted = acceptance(mean)
    assert sum(accepted**power for power in range(MAX_BURST)) == pytest.approx(mean, abs=1e-9)


def test_tokens_a_second_are_the_servers_own_count(spark: Pace) -> None:
    for context in (1024, 2048, 3000):
        assert spark.tokens_per_step / spark.step_mean(context) == pytest.approx(16.77, rel=0.02)


def test_prefill_costs_what_the_agent_turns_say(spark: Pace) -> None:
    """871 tokens a second, from seven turns that leave a residual of 446 ms."""
    line = pace.prefill()
    assert 1000 / line.slope == pytest.approx(871.4, abs=0.1)
    assert line.residual == pytest.approx(445.8, abs=0.1)
    rng, same = Random(5), Random(5)
    cold, warm = spark.first_token(1000, 0, rng), spark.first_token(1000, 1000, same)
    assert cold - warm == pytest.approx(1.1475, abs=0.001)


def test_jitter_is_as_large_as_the_tables_own(spark: Pace) -> None:
    rng = Random(7)
    steps = [spark.step(2048, rng) for _ in range(20_000)]
    mean = sum(steps) / len(steps)
    rms = math.sqrt(sum((step - mean) ** 2 for step in steps) / len(steps))
    assert mean == pytest.approx(spark.step_mean(2048), rel=1e-4)
    assert rms == pytest.approx(spark.step_jitter, rel=0.02)


def test_a_line_through_points_on_a_line() -> None:
    line = fit([(0, 1), (1, 3), (2, 5)])
    assert (line.intercept, line.slope, line.residual) == pytest.approx((1, 2, 0))


def test_text_and_gaps_in_a_table_are_nan() -> None:
    rows = table("glm47_agentic_10_turns.csv")
    assert rows[5]["context_tokens"] == 1826
    assert math.isnan(rows[5]["note"])
    assert math.isnan(rows[9]["ttft_ms"])
