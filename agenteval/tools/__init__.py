"""Mock tools: a scenario's rules, carried out on a real, stateful world.

`execute` answers one call as a harness would, wrong calls included; `beginning` is what stands before the first turn,
`play` plays the turns as they should go.
Not here: whether a call was the right one (`scoring`).
"""

from __future__ import annotations

from agenteval.tools.beginning import beginning
from agenteval.tools.execute import ErrorKind, ToolResult, execute
from agenteval.tools.golden import GoldenTurn, play, rehearse
from agenteval.tools.world import World

__all__ = ["ErrorKind", "GoldenTurn", "ToolResult", "World", "beginning", "execute", "play", "rehearse"]
