"""The rules catch what they are for, and let the rest pass."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.architecture.modules import ROOT, Complaint, Module
from tests.architecture.rules import RULES

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
    ("nobody_leaves_by_a_back_door", "selftest", "import asyncio\nasyncio.create_subprocess_exec('a')"),
    ("only_clock_reads_time_or_sleeps", "run", "from time import perf_counter_ns"),
    ("only_clock_reads_time_or_sleeps", "run", "import datetime as d\nd.datetime.now()"),
    ("only_clock_reads_time_or_sleeps", "run", "from datetime import date\ndate.today()"),
    ("only_clock_reads_time_or_sleeps", "run", "import asyncio\nasyncio.sleep(1)"),
    ("only_clock_reads_time_or_sleeps", "run", "from asyncio import sleep as nap\nnap(1)"),
    ("only_clock_reads_time_or_sleeps", "run", "import asyncio\nasyncio.get_running_loop().time()"),
    ("only_client_and_server_open_sockets", "load", "import socket"),
    ("only_client_and_server_open_sockets", "load", "from starlette.applications import Starlette"),
    ("only_client_and_server_open_sockets", "load", "from asyncio import open_connection as o\no('h', 1)"),
    ("only_client_and_server_open_sockets", "load", "loop.create_connection(f, 'h', 1)"),
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
    ("only_canonical_hashes", "store", "from zlib import crc32"),
    ("only_canonical_hashes", "store", "import zlib\nzlib.adler32(b'')"),
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
    ("only_client_and_server_open_sockets", "client.http", "import httptools"),
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
    ("only_canonical_hashes", "store", "import zlib\nzlib.decompressobj()"),
    ("async_stays_in_its_rooms", "wire", "class P(Protocol):\n    async def f(self): ..."),
    ("nobody_leaves_by_a_back_door", "server.process", "import asyncio\nasyncio.create_subprocess_exec('a')"),
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
