"""`make fuzz`: every family under atheris, a coverage-guided fuzzer, and how many executions each has had.

The fuzzer lives in `.fuzz/`, an environment of its own that is made when it is needed, with the inputs that it found
worth keeping and the counts: a later call goes on with both. What breaks an invariant is saved there as a file, and
shown with the command that repeats it.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from tabulate import tabulate

from agenteval.clock import NS_PER_S, RealClock
from agenteval.parsers import FAMILIES
from tests.fuzz.counts import CHECKOUT, HOME, executed, row, runs
from tests.fuzz.planted import BUGS, NONE
from tests.fuzz.target import Target

ATHERIS = "atheris==3.0.0"
PARSERS_NEED = [f"msgspec=={version('msgspec')}"]
PYTHON = HOME / "environment" / "bin" / "python"


def main(words: list[str]) -> int:
    wanted = _arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the family's process ends with this one
    if wanted.repeat:
        return _repeat(wanted.families[0], wanted.repeat)
    if wanted.planted:
        return _find_planted(wanted)
    failed = [] if wanted.table else _turns(wanted)
    print(tabulate([row(name) for name in FAMILIES], headers="keys", missingval="–"))
    return 1 if failed else 0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=", ".join(FAMILIES))
    parser.add_argument("--runs", type=int, default=20_000, help="executions per family and turn")
    parser.add_argument("--until", type=int, default=0, metavar="TOTAL", help="turns until each family has had so many")
    parser.add_argument("--minutes", type=float, default=1e9, help="no further turn after these")
    parser.add_argument("--longest", type=int, default=40, help="bytes of an input; most of them become strings")
    parser.add_argument("--planted", action="store_true", help="whether bugs that are planted are found, and how soon")
    parser.add_argument("--table", action="store_true", help="only show what was done")
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="execute a saved input of the one family named")
    wanted = parser.parse_args(words)
    unknown = [name for name in wanted.families if name not in FAMILIES]
    if unknown or (wanted.repeat and len(wanted.families) != 1):
        parser.error(f"no family is called {', '.join(unknown)}" if unknown else "--repeat needs one family")
    wanted.families = wanted.families or list(FAMILIES)
    return wanted


def _prepare() -> None:
    """The environment: atheris, whose wheels do not fit every machine, and what the parsers import."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import atheris, msgspec"], check=False).returncode == 0:
        return
    print(f"Preparing {HOME.name}/ (once) ...", file=sys.stderr)
    venv.create(HOME / "environment", with_pip=True, clear=True)
    subprocess.run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ATHERIS, *PARSERS_NEED], check=True
    )


def _turns(wanted: argparse.Namespace) -> list[str]:
    """One turn for each family, or as many as it takes. The families in which something was found: they get no more."""
    _prepare()
    failed, left, end = list[str](), list(wanted.families), RealClock.now() + int(60 * NS_PER_S * wanted.minutes)
    while left:
        for name in left:
            if RealClock.now() < end and not _fuzz(name, wanted):
                failed.append(name)
        left = [name for name in left if name not in failed and executed(name) < wanted.until]
        if RealClock.now() >= end:
            break
    return failed


def _fuzz(name: str, wanted: argparse.Namespace) -> bool:
    """Fuzzes one family; False if something was found."""
    log, found = HOME / "logs" / f"{name}.txt", HOME / "found" / name
    seed = 1 + max((run.seed for run in runs(name)), default=0)
    clean = _execute(name, seed, wanted, NONE, HOME)
    print(f"{name}: {executed(name)} executions", flush=True)
    if not clean:
        print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
        for file in sorted(found.iterdir()):
            print(f"repeat: make fuzz ARGS='{name} --repeat {file.relative_to(CHECKOUT)}'", flush=True)
    return clean


def _find_planted(wanted: argparse.Namespace) -> int:
    """Fuzzes with each planted bug, from the beginning; 1 if one was not found."""
    _prepare()
    rows = []
    for bug, planted in BUGS.items():
        with TemporaryDirectory() as folder:
            missed = _execute(planted.family, 1, wanted, bug, Path(folder))
            log = (Path(folder) / "logs" / f"{planted.family}.txt").read_text(errors="replace")
        after = re.findall(r"^#(\d+)", log, re.MULTILINE)
        rows.append(
            {
                "bug": bug,
                "family": planted.family,
                "found": not missed,
                "executions, at least": after[-1] if after else 0,
            }
        )
    print(tabulate(rows, headers="keys"))
    return 0 if all(row["found"] for row in rows) else 1


def _execute(name: str, seed: int, wanted: argparse.Namespace, bug: str, home: Path) -> bool:
    """One process of the fuzzer; whether every invariant held."""
    inputs, found, log = home / "inputs" / name, home / "found" / name, home / "logs" / f"{name}.txt"
    for folder in (inputs, found, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for data in Target(FAMILIES[name]).seeds():
        (inputs / f"seed-{crc32(data):08x}").write_bytes(data)
    flags = [f"-max_len={wanted.longest}", "-timeout=120", f"-artifact_prefix={found}/", str(inputs)]
    task = [str(PYTHON), "-m", "tests.fuzz.process", name, str(seed), str(wanted.runs), bug, *flags]
    with log.open("w") as said:
        return subprocess.run(task, cwd=CHECKOUT, check=False, stdout=said, stderr=said).returncode == 0


def _repeat(name: str, file: Path) -> int:
    target, data = Target(FAMILIES[name]), file.read_bytes()
    print(target.read(data))
    target.run(data)
    print("every invariant holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
