"""One family under the fuzzer, in one process and in the fuzzer's own environment: `process.py FAMILY FLAG…`, with
libFuzzer's flags and a folder of inputs."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["agenteval.parsers"]):
    from agenteval.parsers import FAMILIES
from tests.fuzz.target import Target

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], Target(FAMILIES[sys.argv[1]]).run)
    atheris.Fuzz()
