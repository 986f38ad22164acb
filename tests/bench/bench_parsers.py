"""Characters per second of our incremental parsers, beside those of vLLM and SGLang on the same streams.

A stream is one call with a string argument of 1 to 256 KB, fed one character at a time (special strings whole, as they
are tokens) or one token at a time. CPU seconds of the parser alone are counted, in turns, the best turn of each, and a
measurement stops after a while: then its characters are those that were fed by then. `AGENTEVAL_BENCH_VLLM` and
`AGENTEVAL_BENCH_SGLANG` name the Pythons in which the engines are installed; their drivers are those of the exam.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from agenteval.clock import cpu_seconds
from agenteval.messages import Message, ToolCall
from agenteval.parsers import FAMILIES, Family, fold
from agenteval.regress.adapters import Workshop, opened
from agenteval.regress.cuts import Cutter
from agenteval.regress.pipes import Piped
from agenteval.regress.subject import Question, SubjectError
from tests.parsers.tools import TOOLS

VARIABLES = {"vllm": "AGENTEVAL_BENCH_VLLM", "sglang": "AGENTEVAL_BENCH_SGLANG"}
PYTHONS = {name: os.environ[variable] for name, variable in VARIABLES.items() if os.environ.get(variable)}
TITLE = " ".join(
    [
        "Incremental parsers: thousands of characters per CPU second, one character or one token per feed, by KB of "
        "arguments; ratio: ours over the faster engine. Bar: 5.",
        "SGLang has no figure for harmony: it gives a call only at <|call|>, with all arguments at once, and that "
        "token ends generation, so that the text lacks it.",
        *(
            f"Not compared with {name}: {variable} does not name the Python in which it is installed."
            for name, variable in VARIABLES.items()
            if name not in PYTHONS
        ),
    ]
)
SIZES = (1, 16, 64, 256)
"""KB of arguments."""
LIMIT_S = 6.0
LINE = 'def f(x):  # "quoted" < and \\ more\n    return [x, {"a": 1}]\n'

TURNS = {1: 15, 16: 3}
"""Measurements of each parser, by size; of longer streams one."""

Row: TypeAlias = dict[str, str | float | None]


def rows(
    sizes: tuple[int, ...] = SIZES, families: tuple[str, ...] = tuple(FAMILIES), limit_s: float = LIMIT_S
) -> Iterator[Row]:
    """One row per family, feed and size: thousands of characters per CPU second; `ratio`: ours over the faster
    engine's. An engine's figure is None if it is not installed, or if its parser did not give the call, or at the end
    not its arguments (some give a string only when it is complete, and are stopped before that)."""
    with opened([f"{name}:all" for name in PYTHONS], Workshop(PYTHONS, limit_s=600)) as subjects:
        piped = {subject.name: subject for subject in subjects if isinstance(subject, Piped)}
        for name in families:
            engines = {engine: piped.get(f"{engine}:{name}") for engine in VARIABLES}
            for feed in ("character", "token"):
                for size in sizes:
                    yield _row(FAMILIES[name], feed, size, engines, limit_s)


def _row(family: Family, feed: str, size: int, engines: Mapping[str, Piped | None], limit_s: float) -> Row:
    raw = _stream(family, size * 1024)
    pieces = _characters(family, raw) if feed == "character" else list(Cutter(family.special).tokens(raw, 7, burst=1))
    ours, theirs = list[float](), dict[str, float | None](dict.fromkeys(engines))
    for _ in range(TURNS.get(size, 1)):
        ours.append(_ours(family, pieces))
        for name, engine in engines.items():
            speed = _theirs(engine, pieces, limit_s) if engine else None
            theirs[name] = max(filter(None, (speed, theirs[name])), default=None)
    known = [speed for speed in theirs.values() if speed is not None]
    ratio = round(max(ours) / max(known), 1) if known else None
    return {"family": family.name, "feed": feed, "KB": size, "agenteval": round(max(ours)), **theirs, "ratio": ratio}


def _stream(family: Family, size: int) -> str:
    text = (LINE * (size // len(LINE) + 1))[:size]
    call = ToolCall("", "save", json.dumps({"path": "a.py", "text": text}))
    return family.render(Message("assistant", "", tool_calls=(call,)), TOOLS, False)


def _characters(family: Family, raw: str) -> list[str]:
    parts = re.split("(" + "|".join(map(re.escape, family.special)) + ")", raw)
    return [piece for part in parts for piece in ([part] if part in family.special else part)]


def _ours(family: Family, pieces: list[str]) -> float:
    """Thousands of characters per CPU second."""
    parser, out = family.parser(TOOLS, False), []
    began = cpu_seconds()
    for piece in pieces:
        out += parser.feed(piece)
    out += parser.flush()
    spent = cpu_seconds() - began
    assert fold(out).calls
    return sum(map(len, pieces)) / spent / 1000


def _theirs(engine: Piped, pieces: list[str], limit_s: float) -> float | None:
    try:
        stream, spent = engine.timed(Question(TOOLS), pieces, limit_s)
    except SubjectError:
        return None
    fed = sum(map(len, pieces[: len(stream.feeds)]))
    calls, complete = stream.message.calls, len(stream.feeds) > len(pieces)
    said = sum(len(call.arguments_text) for call in calls)
    if not calls or (complete and said < 0.8 * (fed - 200)):
        return None
    return round(fed / max(spent, 1e-9) / 1000, 1)


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
