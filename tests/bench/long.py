"""`python -m tests.bench.long ARGUMENT…`: the command line, whose last line on stderr tells what each turn cost.

A turn costs the CPU time of this process between two ends of turns, as the journal shows them: all that is done for it,
from encoding the request to writing its frames. Beside it the memory that the process held then, and what a fixed piece
of work cost at that moment, since a shared machine changes its speed meanwhile.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import yaml

from agenteval.cli import main
from agenteval.clock import cpu_seconds
from agenteval.store import Disk

PARTS = 20
_WORK = [{"role": "tool", "tool_call_id": f"call_{n}", "content": "shelf 7, 13 left, 5 ordered"} for n in range(8)]
PAGE_MB = resource.getpagesize() / 1e6


def suite(folder: Path, turns: int) -> Path:
    """A suite with one scenario of so many turns, each of which looks up a part in a store."""
    folder.mkdir()
    (folder / "suite.yaml").write_text("schema: 1\nname: long\ndescription: One long conversation.\n")
    (folder / "long.yaml").write_text(yaml.safe_dump(_scenario(turns), sort_keys=False))
    return folder


def _scenario(turns: int) -> dict[str, Any]:
    parts = {f"part-{n:02}": f"shelf {n * 7 % 100}, {n * 13 % 50} left, {n * 3 + 5} ordered" for n in range(PARTS)}
    return {
        "schema": 1,
        "name": "long",
        "description": "Looks up one part after the other.",
        "system": "You run a store. Use the tools, then answer in one sentence.",
        "world": {"parts": parts},
        "tools": [
            {
                "name": "find_part",
                "description": "Tell where a part is.",
                "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
                "mock": [
                    {"when": {"id": {"$in": "${world.parts}"}}, "returns": "${world.parts[args.id]}"},
                    {"error": "no such part"},
                ],
            }
        ],
        "turns": [_turn(n, *list(parts.items())[n % PARTS]) for n in range(turns)],
    }


def _turn(number: int, part: str, said: str) -> dict[str, Any]:
    return {
        "user": f"Order {number}: where do we have {part}?",
        "expect": {
            "calls": [{"name": "find_part", "arguments": {"id": part}}],
            "answer": {"contains": [said.split(",")[0]], "example": f"It is on {said}."},
        },
    }


class Stamping(Disk):
    """Notes at the end of each turn: CPU seconds, MB, and CPU seconds after a fixed piece of work, which is no part of
    the next turn."""

    def __init__(self) -> None:
        self.stamps: list[tuple[float, float, float]] = []

    def append(self, path: Path, data: bytes) -> None:
        super().append(path, data)
        if path.name == "steps.jsonl" and b'"last_of_turn":true' in data:
            ended = cpu_seconds()
            _work()
            self.stamps.append((ended, _resident_mb(), cpu_seconds()))


def _work() -> None:
    """About half a millisecond of what a turn consists of."""
    for _ in range(20):
        json.loads(json.dumps(_WORK))


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


if __name__ == "__main__":
    disk = Stamping()
    try:
        main(sys.argv[1:], disk)
    finally:
        print(json.dumps(disk.stamps), file=sys.stderr)
