"""A recorded run, used again: scored without its endpoint (`score`), or served as one (`archive`, `endpoint`)."""

from __future__ import annotations

from agenteval.replay.score import Change, Rescored, rescore

__all__ = ["Change", "Rescored", "rescore"]
