"""What the fuzzer has done so far, by family: a file of runs each, which a later run goes on with."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent.parent
HOME = CHECKOUT / ".fuzz"
_REACHED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


@dataclass(frozen=True, slots=True)
class Run:
    """Executions with one seed, of one state of the code."""

    seed: int
    executions: int
    cpu_seconds: float
    code: str = ""


@cache
def code() -> str:
    """A digest of the parsers and of what is checked on them, whatever their layout."""
    digest = hashlib.sha256()
    for file in [*sorted((CHECKOUT / "agenteval" / "parsers").glob("*.py")), Path(__file__).with_name("target.py")]:
        digest.update(ast.dump(ast.parse(file.read_bytes())).encode())
    return digest.hexdigest()[:8]


def runs(family: str) -> list[Run]:
    """A family's, in the order of their beginnings."""
    file = _file(family)
    return [Run(**run) for run in json.loads(file.read_text())] if file.exists() else []


def keep(family: str, run: Run) -> None:
    """Writes down how far the run with this seed is, whole or not at all."""
    run = replace(run, code=code())
    others = [known for known in runs(family) if (known.seed, known.code) != (run.seed, run.code)]
    file = _file(family)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps([asdict(known) for known in [*others, run]], indent=1) + "\n")
    fresh.replace(file)


def executed(family: str) -> int:
    """Executions of the present code."""
    return sum(run.executions for run in runs(family) if run.code == code())


def row(family: str) -> dict[str, object]:
    """A line of the table. `a CPU second`: in the latest run; `branches`, `features`: what the fuzzer has reached by
    its own count; None: it never ran."""
    done = runs(family)
    log, found = HOME / "logs" / f"{family}.txt", HOME / "found" / family
    reached = _REACHED.findall(log.read_text(errors="replace")) if log.exists() else []
    branches, features, inputs = map(int, reached[-1]) if reached else (None, None, None)
    return {
        "family": family,
        "executions": executed(family),
        "of older code": sum(run.executions for run in done) - executed(family),
        "seeds": f"{done[0].seed}-{done[-1].seed}" if done else None,
        "a CPU second": round(done[-1].executions / done[-1].cpu_seconds) if done else None,
        "branches": branches,
        "features": features,
        "inputs": inputs,
        "found": len(list(found.iterdir())) if found.exists() else 0,
    }


def _file(family: str) -> Path:
    return HOME / "counts" / f"{family}.json"
