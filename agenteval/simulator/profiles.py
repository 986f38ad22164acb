"""The simulated deployments, as a table of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agenteval.simulator.ailments import Ailment
from agenteval.simulator.dgx_spark import gemma4_spark, gptoss120b_spark, llama70b_spark
from agenteval.simulator.pace import Pace, glm47_spark


@dataclass(frozen=True, slots=True)
class Profile:
    """One deployment: what is served, on what, how it spells its replies, how fast, and what is wrong with it.

    `family`: the format that the engine generates and parses; `client_family`: the one that a client may know of, None
    for a model that no family of ours is, whose engine only plays another's part. `stop_tools` and `stop_done` are the
    special strings that end a message with and without calls, `reasoning_end` the one that ends its reasoning;
    `one_call`: the first call ends the reply.
    """

    name: str
    title: str
    model: str
    hardware: str
    family: str
    client_family: str | None
    dialect: str
    pace: Callable[[], Pace]
    ailments: tuple[Ailment, ...] = ()
    max_model_len: int = 131_072
    cache_tokens: int = 400_000
    stop_tools: str = "<|observation|>"
    stop_done: str = "<|user|>"
    reasoning_end: str = "</think>"
    one_call: bool = False


GLM47_4X_SPARK = Profile(
    name="glm47-4x-spark",
    title="GLM-4.7-FP8 on four DGX Sparks; tool calls break above 3,000 prompt tokens",
    model="GLM-4.7-FP8",
    hardware="4x DGX Spark (GB10, 128 GB, 273 GB/s each), TP=4, EAGLE",
    family="glm47",
    client_family="glm47",
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
    client_family=GLM47_4X_SPARK.client_family,
    dialect=GLM47_4X_SPARK.dialect,
    pace=glm47_spark,
)

ONE_SPARK = "1x DGX Spark (GB10, 128 GB, 273 GB/s)"

GPTOSS120B_SPARK = Profile(
    name="gpt-oss-120b-spark",
    title="gpt-oss-120b on one DGX Spark, nothing wrong with it",
    model="gpt-oss-120b",
    hardware=f"{ONE_SPARK}, MXFP4",
    family="harmony",
    client_family="harmony",
    dialect="sglang",
    pace=gptoss120b_spark,
    stop_tools="<|call|>",
    stop_done="<|return|>",
    reasoning_end="<|end|>",
    one_call=True,
)

GEMMA4_SPARK = Profile(
    name="gemma4-spark",
    title="Gemma-4-26B-A4B-it on one DGX Spark, nothing wrong with it",
    model="gemma-4-26B-A4B-it",
    hardware=f"{ONE_SPARK}, BF16",
    family="glm47",
    client_family=None,
    dialect="sglang",
    pace=gemma4_spark,
)

LLAMA70B_SPARK = Profile(
    name="llama70b-spark",
    title="Llama-3.3-70B on one DGX Spark, nothing wrong with it",
    model="Llama-3.3-70B-Instruct-NVFP4",
    hardware=f"{ONE_SPARK}, NVFP4",
    family="glm47",
    client_family=None,
    dialect="sglang",
    pace=llama70b_spark,
)


def _ailing(name: str, title: str, ailment: Ailment, dialect: str = HEALTHY.dialect) -> Profile:
    """The healthy deployment with one ailment."""
    return replace(HEALTHY, name=name, title=f"the same deployment; {title}", ailments=(ailment,), dialect=dialect)


AILING = (
    _ailing("tool-messages", "calls break above 8 tool results", Ailment("breaks_above_tool_messages", 8)),
    _ailing("null-content", "calls break above 8 null contents", Ailment("null_content", 8), "openai"),
    _ailing("string-arguments", "calls break above 8 calls with arguments", Ailment("string_arguments", 8)),
    _ailing(
        "reasoning-lost", "calls break in a loop above 4 calls without thoughts", Ailment("reasoning_lost", 4), "vllm"
    ),
    _ailing("own-bad-calls", "calls break above 2 failures of its own", Ailment("own_bad_calls", 2)),
    _ailing(
        "stale-value", "what was right before is taken while it still stands there", Ailment("stale_value", 0, "stale")
    ),
    _ailing(
        "large-result",
        "calls break while a result of over 2,000 characters stands there",
        Ailment("large_result", 2000),
    ),
)
"""Which policy fixes which: `tests/calibration`. The default deployment is the eighth, `breaks_above_tokens`. In the
spelling `openai` clients send null, in that of `vllm` the thoughts in a field that this engine does not read."""

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (GLM47_4X_SPARK, HEALTHY, GPTOSS120B_SPARK, GEMMA4_SPARK, LLAMA70B_SPARK, *AILING)
}

DEFAULT_PROFILE = GLM47_4X_SPARK.name
