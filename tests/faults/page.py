"""The fault matrix as a page for people, from really playing every row."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from agenteval.run.breaker import DEADLY_AFTER
from tests.faults.matrix import GROUPS, RETRIES, Row
from tests.faults.play import Played, fly, take_off

INTRODUCTION = f"""\
# What happens when a server fails

Written by `make docs`, which plays every row over a real socket: a server that lists one model and then answers each
chat request with the fault, and a run of one conversation with `--retries {RETRIES} --patience 0`. The table itself is
[matrix.py](matrix.py); the tests beside it play the same rows.

*At the take-off* is what `agenteval run` says when the fault hits its very first request (exit code 3, and no run is
begun); `–`: the run begins. *In mid-run* is what the journal, the report and `agenteval report --step` say of the
request. *Tries* are the requests in the journal; only one that is judged can be in a score. A fault that passes costs
nothing but time: the next try is judged.

In mid-run the endpoint is in doubt when nobody is reached, after a time-out, before a request without an answer is
given up, when three conversations in a row got none, or five nothing that can be judged. Then a small question (the one
of the take-off, with one token of answer) tells whether it is the endpoint or the request. If the endpoint does not
answer that either, all conversations wait, for `--patience` seconds (default 300) at most; after that, or if it refuses
even that, the run ends with one sentence and exit code 3. A server that fails some requests only does not end it,
unless 25 conversations in a row come to nothing. A request that finds the endpoint gone {DEADLY_AFTER} times, and back
each time, seems to kill it: its conversation is lost with a sentence that names the step, the others go on, and the
exit code is 3. `agenteval run --resume latest` goes on with what is left.
"""
HEADER = """\
| the server | at the take-off | in mid-run | recorded as | tries | judged | exit |
|---|---|---|---|--:|---|--:|
"""

MACHINES = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:8000"),
    (re.compile(r"does not resolve \([^)]*\)"), "does not resolve (…)"),
    (re.compile(r"no TLS with (\S+) \([^)]*\)"), r"no TLS with \1 (…)"),
    (re.compile(r"broke the connection \(.*?\) after \d+ bytes"), "broke the connection (…) after … bytes"),
    (re.compile(r"broke the connection \(.*?\)"), "broke the connection (…)"),
    (re.compile(r"self[- ]signed"), "self-signed"),
    (re.compile(r"sent \d+ bytes of HTTP"), "sent … bytes of HTTP"),
)
"""What differs between machines, and what stands for it."""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for title, rows in GROUPS.items():
        lines = "".join(_line(name, row) for name, row in rows.items())
        parts.append(f"\n## {title}\n\n{HEADER}{lines}")
    return "".join(parts)


def _line(name: str, row: Row) -> str:
    with tempfile.TemporaryDirectory() as begun, tempfile.TemporaryDirectory() as flying:
        played, taken_off = fly(row, Path(flying)), take_off(row, Path(begun))
    cells = [name, _take_off(taken_off), *_outcome(played), str(played.exit)]
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |\n"


def _take_off(played: Played) -> str:
    return "–" if played.run else played.stderr.strip().splitlines()[-1].removeprefix("Error: ")


def _outcome(played: Played) -> tuple[str, str, str, str]:
    """In words, as what, how many tries, whether judged."""
    if not played.records:
        return "no run is begun", "–", "0", "–"
    last, tries = played.records[-1], str(len(played.records))
    if last.error is not None:
        return last.error.detail, f"`{last.error.kind}`", tries, "no"
    said = "; ".join(finding.detail for finding in last.findings) or "nothing"
    kinds = (f"`{finding.kind}`{' (harmless)' if finding.harmless else ''}" for finding in last.findings)
    return said, ", ".join(kinds) or "–", tries, "yes, ok" if last.ok else "yes, fails"


def _cell(text: str) -> str:
    for pattern, constant in MACHINES:
        text = pattern.sub(constant, text)
    return text.replace("|", "\\|").replace("<", "&lt;")
