"""`run.json`: what was planned, with what versions, against what. Holds no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1
MANIFEST = "run.json"

Status = Literal["running", "complete", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Written first with status `running`, completed last.

    `plan`: the matrix and its settings; `options`: the command line's, without secrets; `endpoint`: model, dialect and
    how it was found, address, context window (tokens; None: not told), whether simulated; `scenarios`: name → hash;
    `versions`: of the program and below it; `resumed`: how often it was gone on with; `changes`: of
    each time at which it was then asked in another way, option → what it was and what it became (plan and options hold
    the newest); `client`: what the client saw of itself (event-loop lag), of several parts the worst; `cells`: how many
    were planned and ended, and of scenarios with a history how many messages they begin with.
    """

    schema: int = SCHEMA
    run: str
    status: Status
    created_at: str
    finished_at: str | None = None
    resumed: int = 0
    changes: Sequence[Mapping[str, tuple[Any, Any]]] = ()
    plan: Mapping[str, Any]
    options: Mapping[str, Any]
    endpoint: Mapping[str, Any]
    scenarios: Mapping[str, str]
    versions: Mapping[str, str]
    client: Mapping[str, Any] = field(default_factory=dict)
    cells: Mapping[str, Any] = field(default_factory=dict)
