"""Mock tools: a scenario's rules, carried out on a real, stateful world.

`execute` answers one call as a harness would, wrong calls included; `play` plays a whole scenario as it should go.
Not here: whether a call was the right one (`scoring`).
"""

from __future__ import annotations

from agenteval.tools.execute import ErrorKind, ToolResult, execute
from agenteval.tools.golden import GoldenTurn, play, rehearse
from agenteval.tools.world import World

__all__ = ["ErrorKind", "GoldenTurn", "ToolResult", "World", "execute", "play", "rehearse"]
