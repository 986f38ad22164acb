"""The house rules that no linter knows, read from the package's own source: floors, late imports, monopolies.

Each rule looks at one module and yields (line, what is wrong there). Each is tested twice: that the package
keeps it, and that it catches code which does not. Not covered: what is reached by getattr, or through an
object that somebody else made (a `write` on a handed-in file).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture import ROOT, Import, Module, house_of

PACKAGE = Path(__file__).parent.parent / "agenteval"

# From bottom to top. A room imports only from floors below its own; rooms on one floor do not see each other.
FLOORS = [
    ("errors", "clock", "canonical"),
    ("messages", "wire", "thinking", "match", "schema", "tokens", "stats", "template", "visible", "wording"),
    ("timing", "script"),
    ("stream", "outcome"),
    ("parsers",),
    ("prompts",),
    ("tools", "dialects", "context", "scoring"),
    ("scenario",),
    ("client", "simulator", "store"),
    ("run", "summary"),
    ("load", "regress", "diagnose", "doctor", "selftest"),
    ("report",),
    ("cli",),
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

TIME_OWNERS = {"clock"}
SOCKET_OWNERS = {"client", "simulator"}
WRITERS = {"store"}
SPEAKERS = {"cli"}
HASHERS = {"canonical"}
ASYNC_ROOMS = {
    *("clock", "client", "simulator", "run", "load", "regress", "diagnose", "doctor", "selftest", "cli"),
}
ASYNC_PROTOCOLS = {"wire"}  # may describe what is awaited, and await nothing

SOCKET_MODULES = {
    *("socket", "ssl", "socketserver", "http.client", "http.server", "urllib.request"),
    *("httptools", "uvicorn", "starlette", "openai", "httpx", "httpx2", "requests", "aiohttp", "websockets"),
}
SOCKET_CALLS = {
    *("open_connection", "open_unix_connection", "start_server", "start_unix_server"),
    *("create_connection", "create_unix_connection", "create_server", "create_unix_server"),
    *("create_datagram_endpoint", "sock_connect"),
}
DATETIME_READERS = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
}
PATH_WRITERS = {
    *("write_text", "write_bytes", "mkdir", "rmdir", "touch", "unlink", "rename", "chmod"),
    *("symlink_to", "hardlink_to"),
}
WRITING_FUNCTIONS = re.compile(
    r"os\.(open|write|fdopen|mkdir|makedirs|remove|removedirs|unlink|rename|renames|replace|rmdir|link|symlink"
    r"|truncate|chmod|utime)|(shutil|tempfile)\.\w+"
)
SPEAKING_NAMES = re.compile(
    r"sys\.(exit|argv|stdout|stderr|stdin)(\.\w+)*|os\.(environ|environb|getenv|putenv|unsetenv|_exit)(\.\w+)*"
)
SPEAKING_MODULES = {"click", "argparse", "getopt", "getpass"}
SPEAKING_BUILTINS = {"print", "input", "exit", "quit", "SystemExit"}
UNSEEDED = re.compile(r"secrets(\.\w+)*|uuid\.uuid[14]|os\.urandom|random\.(?!Random$)\w+")
BACK_DOORS = {
    *("subprocess", "threading", "concurrent.futures", "multiprocessing", "sqlite3", "logging", "warnings", "ctypes"),
}
DRAWERS = {"util", "utils", "common", "helper", "helpers", "misc"}

Complaint = tuple[int, str]


House = Mapping[str, Module]


def is_from(target: str, modules: set[str]) -> bool:
    """Whether an imported name is one of these modules or comes from inside one."""
    return any(target == module or target.startswith(module + ".") for module in modules)


def own_imports(module: Module) -> Iterator[tuple[Import, str]]:
    """Imports from this package, each with the room that it reaches into."""
    for found in module.imports:
        parts = found.target.split(".")
        if parts[0] != ROOT:
            continue
        reaches_root = len(parts) == 1 or (len(parts) == 2 and parts[1].startswith("__"))
        yield found, ROOT if reaches_root else parts[1]


# --- the rules ----------------------------------------------------------------------------------------------


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


def only_clock_reads_time_or_sleeps(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in TIME_OWNERS:
        return
    for found in module.imports:
        if is_from(found.target, {"time"}):
            yield found.line, f"imports {found.target}"
    for name, node in module.uses:
        if name in DATETIME_READERS or name == "asyncio.sleep":
            yield node.lineno, f"uses {name}"
    for call in module.calls:
        if re.search(r"(get_running_loop|get_event_loop)\(\)\.time$|(\b|_)loop\.time$", ast.unparse(call.func)):
            yield call.lineno, "reads an event loop's time"


def only_client_and_simulator_open_sockets(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in SOCKET_OWNERS:
        return
    for found in module.imports:
        if is_from(found.target, SOCKET_MODULES):
            yield found.line, f"imports {found.target}"
    for call in module.calls:
        function = (module.full_name(call.func) or ast.unparse(call.func)).rpartition(".")[2]
        if function in SOCKET_CALLS:
            yield call.lineno, f"calls {function}"


def only_store_writes_files(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in WRITERS:
        return
    for call in module.calls:
        if opens_for_writing(call):
            yield call.lineno, "opens a file for writing"
        elif WRITING_FUNCTIONS.fullmatch(module.full_name(call.func)):
            yield call.lineno, f"calls {module.full_name(call.func)}"
        elif isinstance(call.func, ast.Attribute) and writes_a_path(call.func.attr, call):
            yield call.lineno, f"calls .{call.func.attr}()"


def opens_for_writing(call: ast.Call) -> bool:
    """open(name, mode), path.open(mode), gzip.open(name, mode); a mode that is no literal counts too."""
    if isinstance(call.func, ast.Name) and call.func.id == "open":
        modes = call.args[1:2]
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "open":
        modes = [arg for arg in call.args[:2] if isinstance(arg, ast.Constant)]
    else:
        return False
    modes += [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    literals = [mode.value if isinstance(mode, ast.Constant) else "w" for mode in modes]
    return any(isinstance(mode, str) and re.fullmatch(r"[rbt]*[wax+][rbt+]*", mode) for mode in literals)


def writes_a_path(method: str, call: ast.Call) -> bool:
    """A method that only paths have. Of the `replace`s, a path's takes one argument without a name."""
    return method in PATH_WRITERS or (method == "replace" and len(call.args) == 1 and not call.keywords)


def only_cli_speaks_and_exits(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in SPEAKERS:
        return
    for found in module.imports:
        if is_from(found.target, SPEAKING_MODULES):
            yield found.line, f"imports {found.target}"
    for name, node in module.uses:
        if SPEAKING_NAMES.fullmatch(name) or name == "rich.print":
            yield node.lineno, f"uses {name}"
    for word in ast.walk(module.tree):
        if isinstance(word, ast.Name) and word.id in SPEAKING_BUILTINS:
            yield word.lineno, f"uses {word.id}"


def randomness_has_a_seed(module: Module, _: House) -> Iterator[Complaint]:
    for name, node in module.uses:
        if UNSEEDED.fullmatch(name):
            yield node.lineno, f"uses {name}"
    for call in module.calls:
        if module.full_name(call.func) == "random.Random" and not call.args:
            yield call.lineno, "makes a generator without a seed"


def only_canonical_hashes(module: Module, _: House) -> Iterator[Complaint]:
    for found in module.imports:
        if is_from(found.target, {"hashlib", "hmac", "zlib"}) and module.room not in HASHERS:
            yield found.line, f"imports {found.target}"


def async_stays_in_its_rooms(module: Module, _: House) -> Iterator[Complaint]:
    if module.room in ASYNC_ROOMS:
        return
    described = protocol_methods(module.tree) if module.room in ASYNC_PROTOCOLS else set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef) and node not in described:
            yield node.lineno, f"async def {node.name}"
        elif isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno, "awaits"
        elif isinstance(node, ast.comprehension) and node.is_async:
            yield node.target.lineno, "awaits"
    for found in module.imports:
        if is_from(found.target, {"asyncio"}):
            yield found.line, "imports asyncio"


def protocol_methods(tree: ast.Module) -> set[ast.AST]:
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {
        item
        for node in classes
        if any(ast.unparse(base).rpartition(".")[2].startswith("Protocol") for base in node.bases)
        for item in node.body
    }


def nobody_leaves_by_a_back_door(module: Module, _: House) -> Iterator[Complaint]:
    """Processes, threads, databases and logs would go round the rules above."""
    for found in module.imports:
        if is_from(found.target, BACK_DOORS):
            yield found.line, f"imports {found.target}"


def no_drawer_for_everything(module: Module, _: House) -> Iterator[Complaint]:
    for part in module.name.split("."):
        if part.strip("_") in DRAWERS:
            yield 1, f"{part} says nothing about what it holds"


Rule = Callable[[Module, House], Iterator[Complaint]]
RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        every_module_has_a_room,
        imports_go_down,
        a_room_has_no_import_cycle,
        own_imports_stand_at_the_top,
        only_clock_reads_time_or_sleeps,
        only_client_and_simulator_open_sockets,
        only_store_writes_files,
        only_cli_speaks_and_exits,
        randomness_has_a_seed,
        only_canonical_hashes,
        async_stays_in_its_rooms,
        nobody_leaves_by_a_back_door,
        no_drawer_for_everything,
    )
}


# --- the package keeps them ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house() -> House:
    return house_of(PACKAGE)


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps(rule: str, house: House) -> None:
    complaints = [
        f"{module.file}:{line}: {what}"
        for module in house.values()
        for line, what in sorted(set(RULES[rule](module, house)))
    ]
    assert not complaints, "\n".join([rule.replace("_", " "), *complaints])


# --- and they catch what they are for -----------------------------------------------------------------------

CAUGHT = [
    ("every_module_has_a_room", "attic", ""),
    ("every_module_has_a_room", "attic.box", ""),
    ("imports_go_down", "stream", "from agenteval.parsers import glm45"),
    ("imports_go_down", "stream", "from agenteval.outcome import Finding"),
    ("imports_go_down", "stream", "from agenteval import cli"),
    ("imports_go_down", "stream", "from . import cli"),
    ("imports_go_down", "parsers.glm45", "from ..run import plan"),
    ("imports_go_down", "stream", "import agenteval.attic"),
    ("imports_go_down", "stream", "if TYPE_CHECKING:\n    from agenteval.run import Plan"),
    ("imports_go_down", "stream", "import importlib\nimportlib.import_module('agenteval.run')"),
    ("own_imports_stand_at_the_top", "run.session", "def f():\n    from agenteval import clock"),
    ("own_imports_stand_at_the_top", "run.session", "async def f():\n    import agenteval.clock"),
    ("only_clock_reads_time_or_sleeps", "run", "import time"),
    ("only_clock_reads_time_or_sleeps", "run", "def f(self): return self._loop.time()"),
    ("nobody_leaves_by_a_back_door", "run", "import subprocess"),
    ("nobody_leaves_by_a_back_door", "client", "from concurrent.futures import ThreadPoolExecutor"),
    ("only_clock_reads_time_or_sleeps", "run", "from time import perf_counter_ns"),
    ("only_clock_reads_time_or_sleeps", "run", "import datetime as d\nd.datetime.now()"),
    ("only_clock_reads_time_or_sleeps", "run", "from datetime import date\ndate.today()"),
    ("only_clock_reads_time_or_sleeps", "run", "import asyncio\nasyncio.sleep(1)"),
    ("only_clock_reads_time_or_sleeps", "run", "from asyncio import sleep as nap\nnap(1)"),
    ("only_clock_reads_time_or_sleeps", "run", "import asyncio\nasyncio.get_running_loop().time()"),
    ("only_client_and_simulator_open_sockets", "load", "import socket"),
    ("only_client_and_simulator_open_sockets", "load", "from starlette.applications import Starlette"),
    ("only_client_and_simulator_open_sockets", "load", "from asyncio import open_connection as o\no('h', 1)"),
    ("only_client_and_simulator_open_sockets", "load", "loop.create_connection(f, 'h', 1)"),
    ("only_store_writes_files", "report", "open('f', 'w')"),
    ("only_store_writes_files", "report", "open('f', mode='ab')"),
    ("only_store_writes_files", "report", "open('f', mode)"),
    ("only_store_writes_files", "report", "path.open('r+')"),
    ("only_store_writes_files", "report", "import gzip\ngzip.open('f', 'xt')"),
    ("only_store_writes_files", "cli.report", "path.write_text('')"),
    ("only_store_writes_files", "report", "path.parent.mkdir()"),
    ("only_store_writes_files", "report", "path.replace(other)"),
    ("only_store_writes_files", "report", "from os import makedirs\nmakedirs('d')"),
    ("only_store_writes_files", "report", "import shutil\nshutil.rmtree('d')"),
    ("only_cli_speaks_and_exits", "run", "print('done')"),
    ("only_cli_speaks_and_exits", "run", "import sys\nsys.exit(1)"),
    ("only_cli_speaks_and_exits", "run", "raise SystemExit(1)"),
    ("only_cli_speaks_and_exits", "run", "from sys import argv\nargv[1]"),
    ("only_cli_speaks_and_exits", "run", "import os\nos.environ['HOME']"),
    ("only_cli_speaks_and_exits", "run", "import os\nos.getenv('HOME')"),
    ("only_cli_speaks_and_exits", "run", "import sys\nsys.stderr.write('')"),
    ("only_cli_speaks_and_exits", "run", "import click"),
    ("randomness_has_a_seed", "run", "import random\nrandom.random()"),
    ("randomness_has_a_seed", "run", "import random\nrandom.Random()"),
    ("randomness_has_a_seed", "run", "from random import choice\nchoice([1])"),
    ("randomness_has_a_seed", "run", "import uuid\nuuid.uuid4()"),
    ("only_canonical_hashes", "store", "import hashlib"),
    ("only_canonical_hashes", "store", "from hashlib import sha256"),
    ("async_stays_in_its_rooms", "parsers", "async def f(): ..."),
    ("async_stays_in_its_rooms", "parsers", "import asyncio"),
    ("async_stays_in_its_rooms", "wire", "class Real:\n    async def f(self): ..."),
    ("async_stays_in_its_rooms", "wire", "class P(Protocol):\n    async def f(self):\n        await g()"),
    ("no_drawer_for_everything", "run.utils", ""),
    ("no_drawer_for_everything", "store._common", ""),
]

ALLOWED = [
    ("every_module_has_a_room", "__main__", ""),
    ("imports_go_down", "stream", "from agenteval.timing import Timeline\nfrom agenteval import __version__"),
    ("imports_go_down", "parsers.glm45", "from .base import Parser\nfrom ..stream import Delta"),
    ("imports_go_down", "__main__", "from agenteval.cli import main"),
    ("own_imports_stand_at_the_top", "cli.run", "def f():\n    from agenteval import run"),
    ("only_clock_reads_time_or_sleeps", "run", "from datetime import datetime\ndatetime.fromisoformat('')"),
    ("only_clock_reads_time_or_sleeps", "run", "import asyncio\nasyncio.timeout(1)"),
    ("only_client_and_simulator_open_sockets", "client.http", "import httptools"),
    ("only_store_writes_files", "store.journal", "path.open('ab')"),
    ("only_store_writes_files", "report", "open('wax')\nopen('f', 'rb')\npath.open()\npath.open('rt')"),
    (
        "only_store_writes_files",
        "report",
        "'a'.replace('a', 'b')\nreplace(x, a=1)\nstamp.replace(tzinfo=None)",
    ),
    ("only_cli_speaks_and_exits", "cli.run", "print('done')"),
    ("only_cli_speaks_and_exits", "report", "import sys\nsys.platform"),
    (
        "randomness_has_a_seed",
        "run",
        "import random\ndef f(rng: random.Random): ...\nrandom.Random(7).random()",
    ),
    ("only_canonical_hashes", "canonical", "import hashlib"),
    ("async_stays_in_its_rooms", "wire", "class P(Protocol):\n    async def f(self): ..."),
    ("no_drawer_for_everything", "run.commonplace", ""),
]


def judge(rule: str, name: str, source: str) -> list[Complaint]:
    module = Module(f"{ROOT}.{name}", source)
    return list(RULES[rule](module, {module.name: module}))


@pytest.mark.parametrize(("rule", "name", "source"), CAUGHT)
def test_a_rule_catches(rule: str, name: str, source: str) -> None:
    complaints = judge(rule, name, source)
    assert complaints
    assert all(1 <= line <= max(1, len(source.splitlines())) for line, _ in complaints)


@pytest.mark.parametrize(("rule", "name", "source"), ALLOWED)
def test_a_rule_lets_pass(rule: str, name: str, source: str) -> None:
    assert judge(rule, name, source) == []


def cycle_complaints(sources: Mapping[str, str]) -> list[str]:
    house = {name: Module(name, text, name == f"{ROOT}.parsers") for name, text in sources.items()}
    return [module.name for module in house.values() for _ in RULES["a_room_has_no_import_cycle"](module, house)]


def test_a_cycle_in_a_room_is_caught() -> None:
    sources = {
        "agenteval.parsers": "from agenteval.parsers import glm45",
        "agenteval.parsers.base": "from agenteval.parsers.glm47 import Glm47",
        "agenteval.parsers.glm45": "from .base import Parser",
        "agenteval.parsers.glm47": "if TYPE_CHECKING:\n    from agenteval.parsers import glm45",
    }
    assert cycle_complaints(sources) == [name for name in sources if name != "agenteval.parsers"]


def test_a_late_import_makes_no_cycle() -> None:
    assert not cycle_complaints(
        {
            "agenteval.cli.main": "from agenteval.cli import run",
            "agenteval.cli.run": "def f():\n    from agenteval.cli import main",
        }
    )


def test_a_module_may_be_imported_by_its_package() -> None:
    assert not cycle_complaints(
        {
            "agenteval.parsers": "from agenteval.parsers.glm45 import Glm45",
            "agenteval.parsers.base": "",
            "agenteval.parsers.glm45": "from agenteval.parsers.base import Parser",
        }
    )


def test_every_rule_is_known_to_catch_something() -> None:
    assert {rule for rule, _, _ in CAUGHT} | {"a_room_has_no_import_cycle"} == set(RULES)
