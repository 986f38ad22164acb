"""`python -m tests.reducers [--renew]`: history reducers of two libraries under `agenteval policies check`.

Their environment is made where it is not there. Exit code 1 if the table in README.md is another one; `--renew` writes
it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from tabulate import tabulate

from tests.program import ROOT
from tests.servers.home import HOME, new_environment, once, run, site_packages

PAGE = Path(__file__).parent / "README.md"
BLOCK = re.compile(r"(<!-- table -->\n).*?(\n<!-- /table -->)", re.DOTALL)
LINE = re.compile(r" *(I\d+)  (.+): (?:(holds|not judged)|BROKEN in (\d+) of (\d+))")
NEEDS = ("langchain-core==1.8.3", "autogen-core==0.7.5")
REDUCERS = {
    "trim_messages, defaults": "tests.reducers.langchain:by_default",
    "trim_messages, as advised": "tests.reducers.langchain:as_advised",
    "Buffered": "tests.reducers.autogen:buffered",
    "HeadAndTail": "tests.reducers.autogen:head_and_tail",
    "TokenLimited": "tests.reducers.autogen:token_limited",
}


def environment() -> Path:
    """Its Python: both libraries, and behind them what this interpreter has."""
    once("reducers", NEEDS, _install)
    return HOME / "reducers/bin/python"


def _install() -> None:
    pip = new_environment("reducers") / "pip"
    run(pip, "install", "-q", *NEEDS)
    ours = f"{sysconfig.get_path('purelib')}\n{ROOT}\n"
    (site_packages("reducers") / "zz_rest.pth").write_text(ours)


def verdicts(python: Path, function: str) -> dict[str, str]:
    """Rule → holds, not judged, or the share of histories that it was broken in."""
    command = [str(python), "-m", "agenteval", "policies", "check", function, "--allow-code"]
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.returncode)
    found = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
    return {f"{it[1]} {it[2]}": it[3] or f"**{it[4]} of {it[5]}**" for it in found if it}


def table() -> str:
    python = environment()
    columns = {name: verdicts(python, function) for name, function in REDUCERS.items()}
    rules = list(next(iter(columns.values())))
    rows = [[rule, *(column[rule] for column in columns.values())] for rule in rules]
    return tabulate(rows, headers=["rule", *columns], tablefmt="pipe", disable_numparse=True)


def main(arguments: list[str]) -> int:
    found = table()
    old = PAGE.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda block: f"{block[1]}{found}{block[2]}", old)
    print(found)
    if "--renew" in arguments:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        print("Not what tests/reducers/README.md says: look at what changed, then python -m tests.reducers --renew")
    return 1 if new != old and "--renew" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
