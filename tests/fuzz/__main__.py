"""`make fuzz`: every family under atheris, a coverage-guided fuzzer, and how many executions each has had.

The fuzzer lives in `.fuzz/`, an environment of its own that is made when it is needed, with the inputs that it found
worth keeping. What breaks an invariant is saved there as a file, and shown with the command that repeats it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import venv
from pathlib import Path

from tabulate import tabulate

from agenteval.parsers import FAMILIES
from tests.fuzz.target import Target

ATHERIS = "atheris==3.0.0"
CHECKOUT = Path(__file__).parent.parent.parent
HOME = CHECKOUT / ".fuzz"
PYTHON = HOME / "environment" / "bin" / "python"
COUNTS = HOME / "counts.json"
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def main(words: list[str]) -> int:
    wanted = _arguments(words)
    if wanted.repeat:
        return _repeat(wanted.families[0], wanted.repeat)
    _prepare()
    failed = [name for name in wanted.families if not _fuzz(name, wanted)]
    counts = _counts()
    print(tabulate([{"family": name, "executions": counts.get(name, 0)} for name in FAMILIES], headers="keys"))
    return 1 if failed else 0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=", ".join(FAMILIES))
    parser.add_argument("--runs", type=int, default=20_000, help="executions per family")
    parser.add_argument("--longest", type=int, default=40, help="bytes of an input; most of them become strings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="execute a saved input of the one family named")
    wanted = parser.parse_args(words)
    unknown = [name for name in wanted.families if name not in FAMILIES]
    if unknown or (wanted.repeat and len(wanted.families) != 1):
        parser.error(f"no family is called {', '.join(unknown)}" if unknown else "--repeat needs one family")
    wanted.families = wanted.families or list(FAMILIES)
    return wanted


def _prepare() -> None:
    """The environment: atheris, whose wheels do not fit every machine, and nothing else."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import atheris"], check=False).returncode == 0:
        return
    print(f"Preparing {HOME.name}/ (once) ...", file=sys.stderr)
    venv.create(HOME / "environment", with_pip=True, clear=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ATHERIS], check=True)


def _fuzz(name: str, wanted: argparse.Namespace) -> bool:
    """Fuzzes one family; False if something was found."""
    inputs, found = HOME / "inputs" / name, HOME / "found" / name
    for folder in (inputs, found):
        folder.mkdir(parents=True, exist_ok=True)
    flags = [f"-runs={wanted.runs}", f"-max_len={wanted.longest}", f"-seed={wanted.seed}", "-timeout=120"]
    flags += ["-print_final_stats=1", f"-artifact_prefix={found}/", str(inputs)]
    done = subprocess.run(
        [PYTHON, "-m", "tests.fuzz.process", name, *flags], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    said = _EXECUTED.search(done.stderr)
    executed = int(said.group(1)) if said else 0
    counts = _counts()
    COUNTS.write_text(json.dumps({**counts, name: counts.get(name, 0) + executed}, indent=2) + "\n")
    print(f"{name}: {executed} executions", flush=True)
    if done.returncode:
        print(done.stderr[-4000:], file=sys.stderr)
        for file in sorted(found.iterdir()):
            print(f"repeat: make fuzz ARGS='{name} --repeat {file.relative_to(CHECKOUT)}'")
    return done.returncode == 0


def _counts() -> dict[str, int]:
    """Executions so far in this checkout, by family."""
    counts: dict[str, int] = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    return counts


def _repeat(name: str, file: Path) -> int:
    target, data = Target(FAMILIES[name]), file.read_bytes()
    print(target.read(data))
    target.run(data)
    print("every invariant holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
