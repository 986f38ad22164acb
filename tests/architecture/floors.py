"""The floors of the house, and what may be imported from where."""

from __future__ import annotations

from collections.abc import Iterator

from tests.architecture.modules import ROOT, Complaint, House, Import, Module

# From bottom to top. A room imports only from floors below its own; rooms on one floor do not see each other.
FLOORS = [
    ("errors", "clock", "canonical"),
    (
        *("messages", "wire", "thinking", "match", "schema", "tokens", "stats", "paired", "template", "visible"),
        *("masked", "wording"),
    ),
    ("timing", "script", "growing"),
    ("stream", "outcome", "document"),
    ("parsers",),
    ("prompts",),
    ("tools", "dialects", "context", "scoring", "server"),
    ("scenario", "conformance"),
    ("client", "simulator", "store"),
    ("run", "summary"),
    ("load", "regress", "diagnose", "doctor", "selftest", "replay", "calibration"),
    ("report",),
    ("cli",),
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

DRAWERS = {"util", "utils", "common", "helper", "helpers", "misc"}


def own_imports(module: Module) -> Iterator[tuple[Import, str]]:
    """Imports from this package, each with the room that it reaches into."""
    for found in module.imports:
        parts = found.target.split(".")
        if parts[0] != ROOT:
            continue
        reaches_root = len(parts) == 1 or (len(parts) == 2 and parts[1].startswith("__"))
        yield found, ROOT if reaches_root else parts[1]


def every_module_has_a_room(module: Module, _: House) -> Iterator[Complaint]:
    if module.room not in FLOOR_OF and module.room != ROOT:
        yield 1, f"{module.room} is no room of the house; FLOORS names them"


def imports_go_down(module: Module, _: House) -> Iterator[Complaint]:
    floor = FLOOR_OF.get(module.room, -1)
    for found, room in own_imports(module):
        if room != module.room and FLOOR_OF.get(room, -1 if room == ROOT else len(FLOORS)) >= floor:
            yield found.line, f"{module.room} imports {room}, which is not on a lower floor"


def a_room_has_no_import_cycle(module: Module, house: House) -> Iterator[Complaint]:
    for found, room in own_imports(module):
        target = module_of(found.target, house)
        if room == module.room and not found.late and target and leads_to(target, module.name, house):
            yield found.line, f"{found.target} leads back to {module.name}"


def module_of(target: str, house: House) -> str | None:
    """The module behind an imported name: `agenteval.parsers.base.Parser` is in agenteval.parsers.base."""
    parent = target.rpartition(".")[0]
    return target if target in house else parent if parent in house else None


def leads_to(start: str, goal: str, house: House) -> bool:
    """Whether `start` imports `goal`, itself or through what it imports."""
    seen: set[str] = set()
    open_ends = [start]
    while open_ends:
        name = open_ends.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            reached = (module_of(found.target, house) for found in house[name].imports if not found.late)
            open_ends += [target for target in reached if target]
    return False


def own_imports_stand_at_the_top(module: Module, _: House) -> Iterator[Complaint]:
    for found, room in own_imports(module):
        if found.late and module.room != "cli":
            yield found.line, f"imports {room} inside a function; only cli may"


def no_drawer_for_everything(module: Module, _: House) -> Iterator[Complaint]:
    for part in module.name.split("."):
        if part.strip("_") in DRAWERS:
            yield 1, f"{part} says nothing about what it holds"
