"""Thinking modes: `off`, `on` (reasoning of earlier turns is dropped), `preserved` (all reasoning is sent back)."""

from __future__ import annotations

from typing import Literal, get_args

Thinking = Literal["off", "on", "preserved"]

MODES: tuple[Thinking, ...] = get_args(Thinking)
