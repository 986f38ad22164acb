"""What policies cost the prefix cache, beside what the reference measured: `python -m tests.calibration.prefill`.

The reference rendered a GLM-4.7-style template for 16 tool calls with results of about 900 characters and a budget of
about half the last prompt, and counted characters outside the longest common prefix. Here the embedded endpoint counts
the tokens of the rendered prompt that its prefix cache, in blocks of 16, does not hold. Both are simulations.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tabulate import tabulate

from agenteval.calibration import played
from agenteval.scenario import load_suite
from agenteval.script import Scenario
from agenteval.simulator import PROFILES
from agenteval.thinking import Thinking

BUDGET = 2100
"""Tokens: about half of the last prompt with everything in it."""

COLUMNS: dict[str, tuple[str, Thinking]] = {
    "tool loop": ("reading-in-a-loop", "on"),
    "user turns": ("reading-in-turns", "on"),
    "user turns, clear_thinking=false": ("reading-in-turns", "preserved"),
}

ROWS: dict[str, tuple[str, tuple[int, int, int]]] = {
    "full history": ("full_history", (100, 100, 100)),
    "ingest cap": ("tool_output_limit:limit=50", (40, 46, 48)),
    "client drops all reasoning": ("clear_thinking:keep=none", (112, 65, 121)),
    "masking, rolling": ("observation_masking:keep_last=3,step=1", (326, 223, 421)),
    "masking, step 4": ("observation_masking:keep_last=3,step=4", (174, 151, 248)),
    "clearing, no low mark": (
        f"clear_tool_uses:trigger={BUDGET},target={BUDGET - 1},keep_last=3,min_reclaim=1",
        (232, 213, 407),
    ),
    "window, boundary re-picked": (
        f"sliding_window:trigger={BUDGET},target={BUDGET - 1},sticky=no,min_reclaim=1",
        (503, 401, 989),
    ),
    "window, low mark": (f"sliding_window:trigger={BUDGET},target={BUDGET // 2},min_reclaim=1", (136, 121, 164)),
    "summary": (f"summarize:trigger={BUDGET},target={BUDGET // 2},keep_last=2,min_reclaim=1", (131, 99, 119)),
}
"""Each policy of the reference's table: as ours is called, and the percent of full history that it prefilled there."""


@cache
def scenario(name: str) -> Scenario:
    (found,) = load_suite(str(Path(__file__).parent / f"{name}.yaml")).scenarios
    return found


@cache
def prefilled(column: str, row: str) -> int:
    """Tokens that the engine had to compute for prompts, summaries' own requests apart, as in the reference."""
    name, thinking = COLUMNS[column]
    steps = played(scenario(name), ROWS[row][0], PROFILES["healthy"], thinking).steps
    return sum((step.tokens.prompt or 0) - (step.tokens.cached or 0) for step in steps)


def percent(column: str, row: str) -> int:
    return round(100 * prefilled(column, row) / prefilled(column, "full history"))


def main() -> None:
    table = [
        (row, *(f"{percent(column, row)} ({there})" for column, there in zip(COLUMNS, ROWS[row][1], strict=True)))
        for row in ROWS
    ]
    print("Prefilled tokens, percent of full history, simulated (in brackets: the reference's, characters)")
    print(tabulate(table, headers=("policy", *COLUMNS), tablefmt="simple"))


if __name__ == "__main__":
    main()
