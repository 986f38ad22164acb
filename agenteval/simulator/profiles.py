"""The simulated deployments, as a table of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agenteval.simulator.ailments import Ailment
from agenteval.simulator.pace import Pace, glm47_spark


@dataclass(frozen=True, slots=True)
class Profile:
    """One deployment: what is served, on what, how it spells its replies, how fast, and what is wrong with it.

    `stop_tools` and `stop_done` are the special strings that end a message with and without calls, `reasoning_end`
    the one that ends its reasoning.
    """

    name: str
    title: str
    model: str
    hardware: str
    family: str
    dialect: str
    pace: Callable[[], Pace]
    ailments: tuple[Ailment, ...] = ()
    max_model_len: int = 131_072
    cache_tokens: int = 400_000
    stop_tools: str = "<|observation|>"
    stop_done: str = "<|user|>"
    reasoning_end: str = "</think>"


GLM47_4X_SPARK = Profile(
    name="glm47-4x-spark",
    title="GLM-4.7-FP8 on four DGX Sparks; tool calls break above 3,000 prompt tokens",
    model="GLM-4.7-FP8",
    hardware="4x DGX Spark (GB10, 128 GB, 273 GB/s each), TP=4, EAGLE",
    family="glm47",
    dialect="sglang",
    pace=glm47_spark,
    ailments=(Ailment("breaks_above_tokens", 3000, "prose"),),
)

HEALTHY = Profile(
    name="healthy",
    title="the same deployment with nothing wrong",
    model=GLM47_4X_SPARK.model,
    hardware=GLM47_4X_SPARK.hardware,
    family=GLM47_4X_SPARK.family,
    dialect=GLM47_4X_SPARK.dialect,
    pace=glm47_spark,
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (GLM47_4X_SPARK, HEALTHY)}

DEFAULT_PROFILE = GLM47_4X_SPARK.name
