"""Whether two runs asked for the same work, and what else differs between them. Pure; reads manifests only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from agenteval.context import canonical_policy
from agenteval.store import Manifest

MUST_AGREE: tuple[tuple[str, str], ...] = (
    ("seed", "--seed"),
    ("history", "--history"),
    ("temperature", "--temperature"),
    ("max_tokens", "--max-tokens"),
)
"""Keys of a plan that make the workload, and the option of each."""

NAMED = 4
"""So many scenarios or policies are named one by one."""

MAY_DIFFER: tuple[tuple[str, str, str], ...] = (
    ("endpoint", "model", "model"),
    ("endpoint", "base_url", "address"),
    ("endpoint", "profile", "profile"),
    ("endpoint", "server_version", "server version"),
    ("endpoint", "dialect", "dialect"),
    ("endpoint", "family", "family"),
    ("endpoint", "context_window", "context window"),
    ("endpoint", "simulated", "simulated"),
    ("endpoint", "recording", "recording"),
    ("options", "extra_body", "--extra-body"),
    ("options", "transport", "--transport"),
    ("options", "stream", "streaming"),
    ("plan", "concurrency", "--concurrency"),
    ("versions", "agenteval", "agenteval"),
)
"""Part of the manifest, key, name: what a comparison may be about, told wherever it differs."""


def unlike(base: Manifest, new: Manifest) -> tuple[str, ...]:
    """Why two runs cannot be compared, most basic first; empty if they can."""
    if base.schema != new.schema:
        return (f"their files have different schemas ({base.schema} in BASE, {new.schema} in NEW)",)
    if (base.run, base.created_at) == (new.run, new.created_at):
        return (f"BASE and NEW are one run, {base.run}: name two",)
    return (
        *(reason for name, run in (("BASE", base), ("NEW", new)) for reason in _incomplete(name, run)),
        *_other_scenarios(base, new),
        *_apart(base, new),
        *(
            f"{option} differs ({_said(base.plan, key)} in BASE, {_said(new.plan, key)} in NEW)"
            for key, option in MUST_AGREE
            if base.plan.get(key) != new.plan.get(key)
        ),
    )


def _incomplete(name: str, run: Manifest) -> list[str]:
    stopped = run.cells.get("stopped")
    if run.status == "complete" and not stopped:
        return []
    state = f"stopped early ({stopped})" if stopped else f"{run.status}, not complete"
    return [f"{name} ({run.run}) is {state}"]


def _other_scenarios(base: Manifest, new: Manifest) -> list[str]:
    """Scenarios of one name with different hashes. Those that only one of the runs has make no pairs and no harm."""
    changed = [name for name, found in base.scenarios.items() if new.scenarios.get(name, found) != found]
    return [f"scenario {name} was changed in between (its hashes differ)" for name in changed]


def _apart(base: Manifest, new: Manifest) -> list[str]:
    """What the cells of two runs cannot share: scenarios, policies (however spelled) or thinking modes."""
    kinds = (
        ("scenario", base.scenarios, new.scenarios),
        ("policy", *({canonical_policy(text) for text in run.plan.get("policies", ())} for run in (base, new))),
        ("thinking mode", base.plan.get("thinking", ()), new.plan.get("thinking", ())),
    )
    return [
        f"they have no {kind} in common ({_few(old)} in BASE, {_few(fresh)} in NEW)"
        for kind, old, fresh in kinds
        if old and fresh and not set(old) & set(fresh)
    ]


def _few(names: Collection[str]) -> str:
    """The first names, and how many more."""
    told = sorted(names)
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more


def _said(part: Mapping[str, Any], key: str) -> str:
    value = part.get(key)
    return "none" if value in (None, {}) else str(value)


def differences(base: Manifest, new: Manifest) -> tuple[str, ...]:
    """What else is not the same, as `name: base → new`."""
    found = []
    for part, key, name in MAY_DIFFER:
        old, fresh = _in_turn(base, part, key), _in_turn(new, part, key)
        if old != fresh:
            found.append(f"{name}: {', then '.join(old)} → {', then '.join(fresh)}")
    return tuple(found)


def _in_turn(run: Manifest, part: str, key: str) -> list[str]:
    """What a run had there, one after the other where it was gone on with in another way."""
    before = [change[key][0] for change in run.changes if key in change]
    return [_said({key: value}, key) for value in (*before, getattr(run, part).get(key))]


def speed_obstacle(runs: Mapping[str, Manifest]) -> str | None:
    """Why the speeds of runs (or inside one) cannot be set against each other; None if they can."""
    if len({bool(run.endpoint.get("simulated")) for run in runs.values()}) > 1:
        return "Only one of the runs is simulated: their speeds are not compared."
    late = [name for name, run in runs.items() if run.client.get("valid") is False]
    if late:
        return f"The latencies of {' and '.join(late)} are invalid (a busy client): speeds are not compared."
    machines = {name: run.versions.get("machine") for name, run in runs.items()}
    if len({*machines.values()} - {None}) > 1:
        said = ", ".join(f"{machine} in {name}" for name, machine in machines.items())
        return f"The client was another machine ({said}): speeds are not compared."
    return None
