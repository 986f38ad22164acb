"""The one question that is asked before a long run, as a scenario, so that the embedded endpoint knows it, too."""

from __future__ import annotations

from agenteval.messages import ToolSpec
from agenteval.script import Defaults, Expectation, ExpectedCall, MockTool, Rule, Scenario, Turn

PREFLIGHT = Scenario(
    name="preflight",
    description="One call of one tool.",
    tags=(),
    system="You are an assistant with tools. Use them.",
    tools=(
        MockTool(
            ToolSpec(
                "get_time",
                "Tell the present time of a city.",
                {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                    "additionalProperties": False,
                },
            ),
            (Rule(returns={"time": "12:30"}),),
        ),
    ),
    turns=(
        Turn(
            "What time is it in Oslo? Call the tool.",
            Expectation(calls=(ExpectedCall("get_time", {"city": "Oslo"}),)),
        ),
    ),
    world={},
    values={},
    defaults=Defaults(max_tokens=256),
    source="preflight",
    hash="preflight",
)
