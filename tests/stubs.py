"""Stub models and the scores that they get on the bundled suites: the floors below any real score.

`python -m tests.stubs` prints the table that the README shows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from tabulate import tabulate

from agenteval.canonical import seed_of
from agenteval.clock import LoopClock, run_virtual
from agenteval.dialects import DIALECTS
from agenteval.outcome import StepRecord
from agenteval.run import Accountant, Cell, Desk, Plan, Retries, expand, run_cell
from agenteval.scenario import bundled_names, load_suite
from agenteval.script import Scenario
from agenteval.simulator import PROFILES, Engine, SimulatedTransport
from agenteval.summary.rows import is_over, last_attempts
from agenteval.wire import Recording, Transport
from tests.run.scripted import Body, Says, ScriptedTransport

REFUSAL = "I would rather not."
DONE = "Done."
QUESTION = "Which one do you mean, and when? Please tell me more."


def never_calls(body: Body) -> Says:
    return Says(REFUSAL)


def always_400(body: Body) -> Says:
    return Says(status=400)


def first_tool(body: Body) -> Says:
    """The first tool, with "x" for every required argument; again and again."""
    function = body["tools"][0]["function"]
    return Says(calls=[(function["name"], json.dumps(dict.fromkeys(function["parameters"].get("required", []), "x")))])


def repeats_the_last_call(body: Body) -> Says:
    """Whatever was called last in the conversation, else the first tool."""
    made = [call["function"] for message in body["messages"] for call in message.get("tool_calls", ())]
    return Says(calls=[(made[-1]["name"], made[-1]["arguments"])]) if made else first_tool(body)


def once(stub: Callable[[Body], Says]) -> Callable[[Body], Says]:
    """The same, but it takes a result for an answer and says that it is done."""
    return lambda body: Says(DONE) if body["messages"][-1]["role"] == "tool" else stub(body)


def echoes(body: Body) -> Says:
    """All that stands in the conversation but for its own echoes (they would double it each turn), as an answer."""
    heard = (message for message in body["messages"] if message["role"] != "assistant")
    return Says("\n".join(message["content"] for message in heard if message.get("content")))


def asks_back(body: Body) -> Says:
    return Says(QUESTION)


def random_call(body: Body) -> Says:
    """One call of a random tool with random arguments that its schema allows, then an answer."""
    if body["messages"][-1]["role"] == "tool":
        return Says(REFUSAL)
    rng = random.Random(seed_of("stub", json.dumps(body["messages"])))
    function = rng.choice(body["tools"])["function"]
    return Says(calls=[(function["name"], json.dumps(_value(function["parameters"], rng)))])


def _value(schema: Any, rng: random.Random) -> Any:
    """A random value of a schema, as far as types, enums and required properties go."""
    if not isinstance(schema, dict):
        return "x"
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _value(properties.get(name), rng) for name in schema.get("required", [])}
    if kind == "array":
        return [_value(schema.get("items"), rng) for _ in range(max(1, schema.get("minItems", 1)))]
    simple = {"integer": rng.randint(1, 9), "number": rng.randint(1, 9), "boolean": rng.random() < 0.5, "null": None}
    return simple.get(str(kind), f"x{rng.randint(0, 999)}")


STUBS: dict[str, Callable[[Body], Says]] = {
    "never calls a tool": never_calls,
    "always answers 400": always_400,
    "echoes the conversation": echoes,
    "always asks back": asks_back,
    "always calls the first tool": first_tool,
    "calls the first tool once": once(first_tool),
    "repeats the last call": repeats_the_last_call,
    "repeats the last call once": once(repeats_the_last_call),
    "calls at random, by schema": random_call,
}


@dataclass(frozen=True)
class Score:
    """Turns that passed, of those judged, of all."""

    ok: int
    judged: int
    turns: int


@cache
def scenarios() -> tuple[Scenario, ...]:
    """All bundled ones."""
    return tuple(item for name in bundled_names() for item in load_suite(name).scenarios)


def cells() -> tuple[Cell, ...]:
    plan = Plan(scenarios(), ("off",), ("full_history",), 1, 0)
    return expand(plan)


def score_of(cell: Cell, transport: Transport, model: str) -> Score:
    """Play one cell over a transport, without retries."""
    records: list[StepRecord] = []

    def journal(record: StepRecord, _: Recording | None) -> None:
        records.append(record)

    plan = Plan((cell.scenario,), (cell.thinking,), (cell.policy,), 1, 0)
    desk = Desk("stub", plan, transport, DIALECTS["sglang"], model, Accountant("glm47"), journal, retries=Retries(0))
    run_virtual(run_cell(cell, desk))
    turns: dict[int, list[StepRecord]] = {}
    for record in last_attempts(records):
        turns.setdefault(record.turn, []).append(record)
    over = [steps for steps in turns.values() if is_over(steps)]
    return Score(sum(all(step.ok for step in steps) for steps in over), len(over), len(cell.scenario.turns))


def stub_score(cell: Cell, stub: Callable[[Body], Says]) -> Score:
    return score_of(cell, ScriptedTransport(stub), "stub")


def oracle_score(cell: Cell) -> Score:
    """The embedded endpoint with nothing wrong, which always does what is expected."""
    profile = PROFILES["healthy"]
    unbound = tuple(item for item in scenarios() if item.name == cell.scenario.name)
    engine = Engine(profile, unbound, LoopClock(), seed=cell.seed)
    return score_of(cell, SimulatedTransport(engine), profile.model)


def total(scores: list[Score]) -> Score:
    return Score(*(sum(getattr(score, name) for score in scores) for name in ("ok", "judged", "turns")))


def rows() -> list[tuple[str, str, str]]:
    """Oracle and stubs over all bundled scenarios."""
    found = [("the oracle", total([oracle_score(cell) for cell in cells()]))]
    found += [(name, total([stub_score(cell, stub) for cell in cells()])) for name, stub in STUBS.items()]
    return [(name, f"{score.ok} of {score.judged} judged", f"{score.turns}") for name, score in found]


if __name__ == "__main__":
    print(tabulate(rows(), headers=("model", "turns ok", "turns in all"), tablefmt="simple"))
