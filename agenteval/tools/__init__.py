"""Mock tools over a real world: `execute` carries out one call, `play` plays what a scenario expects.

A wrong call has its real effect. Whatever cannot be done is a result that says so, never an exception.
"""

from __future__ import annotations

from agenteval.tools.execute import ToolResult, execute
from agenteval.tools.golden import GoldenTurn, play
from agenteval.tools.world import World

__all__ = ["GoldenTurn", "ToolResult", "World", "execute", "play"]
