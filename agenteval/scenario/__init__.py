"""Scenario files: read with positions, checked, loaded into values, linted, and bound to a seed.

`load_suite` gives scenarios with `${value}` placeholders, `bind` fills them in for one cell, `lint` names every
problem of a suite at once, `linted` gives both. Not here: what happens when a tool is called (`tools`), and whether
a reply is right (`scoring`). No code runs from a scenario file.
"""

from __future__ import annotations

from agenteval.scenario.bind import bind, draw
from agenteval.scenario.lint import lint, linted
from agenteval.scenario.loader import load_suite
from agenteval.scenario.locate import ALL, bundled_names, bundled_root, expanded

__all__ = ["ALL", "bind", "bundled_names", "bundled_root", "draw", "expanded", "lint", "linted", "load_suite"]
