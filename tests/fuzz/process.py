"""One family under the fuzzer, in one process and in the fuzzer's own environment: `process.py FAMILY SEED RUNS BUG
FLAG…`, with the name of a planted bug or `-`, libFuzzer's flags and a folder of inputs.

The parsers are imported twice, because tracing their branches makes them three to five times slower: one input in
sixteen goes through the traced ones, and tells the fuzzer whether it reaches something new. Every invariant is checked
on every input.
"""

from __future__ import annotations

import gc
import importlib
import sys
import zlib
from collections.abc import Callable

import atheris

from agenteval.clock import cpu_seconds
from tests.fuzz.counts import Run, keep
from tests.fuzz.planted import BUGS, NONE

TRACED = 16
"""Of so many inputs one is traced; which ones is a matter of another checksum than the target's."""
SAVED = 2048
"""Executions after which their number is written down."""


def main(family: str, seed: int, runs: int, bug: str, flags: list[str]) -> None:
    with atheris.instrument_imports(include=["agenteval"]):
        importlib.import_module("agenteval.parsers")
    traced = _target(family, bug)
    for name in [name for name in sys.modules if name.partition(".")[0] == "agenteval" or name == _TARGET]:
        del sys.modules[name]
    plain = _target(family, bug)
    executed, began = 0, cpu_seconds()

    def execute(data: bytes) -> None:
        nonlocal executed
        (plain if zlib.adler32(data) % TRACED else traced)(data)
        executed += 1
        if bug == NONE and (executed % SAVED == 0 or executed == runs):
            keep(family, Run(seed, executed, cpu_seconds() - began))

    gc.freeze()
    atheris.Setup([sys.argv[0], f"-seed={seed}", f"-runs={runs}", *flags], execute)
    atheris.Fuzz()


_TARGET = "tests.fuzz.target"


def _target(family: str, bug: str) -> Callable[[bytes], None]:
    """Executes an input, with the modules that are imported now."""
    if bug != NONE:
        BUGS[bug].plant()
    families = importlib.import_module("agenteval.parsers").FAMILIES
    execute: Callable[[bytes], None] = importlib.import_module(_TARGET).Target(families[family]).run
    return execute


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
