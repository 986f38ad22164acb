"""`python -m tests.engines [--renew]`: engines' parsers under the exam, every cut.

What came out stands in README.md, and what engines do where a policy of ours decides in
`agenteval/data/measured_policies.json`.
Environments are made where they are not there. Exit code 1 if a driver dies or the table has changed; `--renew` writes
the new one. `--from FILE…` takes what `agenteval parsers check … --format json` printed instead.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.engines import measured
from tests.engines.environments import pythons
from tests.engines.table import Paper, details, overview

PAGE = Path(__file__).parent / "README.md"
BLOCK = re.compile(r"(<!-- (\w+) -->\n).*?(\n<!-- /\w+ -->)", re.DOTALL)


def examined() -> list[str]:
    """What `agenteval parsers check` says of ours and of every engine, as JSON."""
    there = pythons()
    options = [word for label, path in there.items() for word in ("--python", f"{label}={path}")]
    parsers = ["agenteval:all", "vllm@old:all", "vllm:all", "sglang:all", "llamacpp:all"]
    command = [sys.executable, "-m", "agenteval", "parsers", "check", *parsers, *options]
    done = subprocess.run([*command, "--no-shrink", "--format", "json"], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.returncode)
    return [done.stdout]


def main(arguments: list[str]) -> int:
    files = arguments[arguments.index("--from") + 1 :] if "--from" in arguments else []
    said = [Path(file).read_text() for file in files] or examined()
    values = [json.loads(text) for text in said]
    papers: list[Paper] = [paper for value in values for paper in value["parsers"]]
    dead = [it for value in values for it in value["new"] if it["kind"] in ("crashed", "hung")]
    for failure in dead:
        print(f"{failure['parser']} {failure['case']} {failure['kind']}: {failure['detail']}")
    tables = {"overview": overview(papers), "details": details(papers)}
    old = PAGE.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", old)
    print(tables["details"])
    data = measured.spelled(values)
    changed = new != old or data != measured.DATA.read_text(encoding="utf-8")
    if "--renew" in arguments:
        PAGE.write_text(new, encoding="utf-8")
        measured.DATA.write_text(data, encoding="utf-8")
    elif changed:
        print("Not what README.md and the data of policies say: look at it, then python -m tests.engines --renew")
    return 1 if dead or (changed and "--renew" not in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
