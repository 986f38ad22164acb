"""Characters per second of our incremental parsers, beside those of vLLM and SGLang on the same streams.

A stream is one call with a string argument of 1 to 256 KB, fed one character at a time (special strings whole, as they
are tokens) or one token at a time. Everything runs in one process at a time, CPU seconds are counted, and a measurement
stops after a while: then its characters are those that were fed by then. `AGENTEVAL_BENCH_VLLM` and
`AGENTEVAL_BENCH_SGLANG` name the Pythons in which the engines are installed. Not covered: harmony in vLLM, which takes
token ids of the real vocabulary only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from agenteval.clock import cpu_seconds
from agenteval.messages import Message, ToolCall, tool_object
from agenteval.parsers import FAMILIES, Family, fold
from agenteval.regress.cuts import Cutter
from tests.parsers.tools import TOOLS

VARIABLES = {"vllm": "AGENTEVAL_BENCH_VLLM", "sglang": "AGENTEVAL_BENCH_SGLANG"}
TITLE = " ".join(
    [
        "Incremental parsers: thousands of characters per CPU second, one character or one token per feed, by KB of "
        "arguments; ratio: ours over the faster engine. Bar: 5.",
        *(
            f"Not compared with {name}: {variable} does not name the Python in which it is installed."
            for name, variable in VARIABLES.items()
            if not os.environ.get(variable)
        ),
    ]
)
SIZES = (1, 16, 64, 256)
"""KB of arguments."""
LIMIT_S = 6.0
LINE = 'def f(x):  # "quoted" < and \\ more\n    return [x, {"a": 1}]\n'

Row: TypeAlias = dict[str, str | float | None]
Names: TypeAlias = Mapping[str, tuple[str, str | None]]

PARSERS: Mapping[str, Names] = {
    "vllm": {
        "glm45": ("glm45", "glm45"),
        "glm47": ("glm47", "glm45"),
        "hermes": ("hermes", "qwen3"),
        "qwen3_coder": ("qwen3_coder", "qwen3"),
        "kimi_k2": ("kimi_k2", "kimi_k2"),
        "deepseek_v31": ("deepseek_v31", "deepseek_v3"),
        "deepseek_v32": ("deepseek_v32", "deepseek_v3"),
        "minimax_m2": ("minimax_m2", "minimax_m2"),
        "llama3_json": ("llama3_json", None),
        "mistral": ("mistral", None),
        "deepseek_v3": ("deepseek_v3", "deepseek_v3"),
        "gemma4": ("gemma4", "gemma4"),
    },
    "sglang": {
        "glm45": ("glm45", "glm45"),
        "glm47": ("glm47", "glm45"),
        "harmony": ("gpt-oss", "gpt-oss"),
        "hermes": ("hermes", "qwen3"),
        "qwen3_coder": ("qwen3_coder", "qwen3"),
        "kimi_k2": ("kimi_k2", "kimi_k2"),
        "deepseek_v31": ("deepseekv31", "deepseek-v3"),
        "deepseek_v32": ("deepseekv32", "deepseek-v3"),
        "minimax_m2": ("minimax-m2", None),
        "llama3_json": ("llama3", None),
        "mistral": ("mistral", None),
        "deepseek_v3": ("deepseekv3", "deepseek-v3"),
        "gemma4": ("gemma4", None),
    },
}
"""Engine → family → the values of its `--tool-call-parser` and `--reasoning-parser`."""


def rows(sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """One row per family, feed and size: thousands of characters per CPU second; `ratio`: ours over the faster
    engine's. An engine's figure is None if it is not installed, or if its parser did not give the arguments."""
    with ExitStack() as stack:
        engines = {name: stack.enter_context(_engine(name, os.environ.get(VARIABLES[name]))) for name in VARIABLES}
        for family in FAMILIES.values():
            for feed in ("character", "token"):
                for size in sizes:
                    yield _row(family, feed, size, engines)


def _row(family: Family, feed: str, size: int, engines: Mapping[str, subprocess.Popen[str] | None]) -> Row:
    raw = _stream(family, size * 1024)
    pieces = _characters(family, raw) if feed == "character" else list(Cutter(family.special).tokens(raw, 7, burst=1))
    ours = _ours(family, pieces)
    theirs = {name: _theirs(engine, name, family, pieces) for name, engine in engines.items()}
    known = [speed for speed in theirs.values() if speed is not None]
    ratio = round(ours / max(known), 1) if known else None
    return {"family": family.name, "feed": feed, "KB": size, "agenteval": round(ours), **theirs, "ratio": ratio}


def _stream(family: Family, size: int) -> str:
    text = (LINE * (size // len(LINE) + 1))[:size]
    call = ToolCall("", "save", json.dumps({"path": "a.py", "text": text}))
    return family.render(Message("assistant", "", tool_calls=(call,)), TOOLS, False)


def _characters(family: Family, raw: str) -> list[str]:
    parts = re.split("(" + "|".join(map(re.escape, family.special)) + ")", raw)
    return [piece for part in parts for piece in ([part] if part in family.special else part)]


def _ours(family: Family, pieces: list[str]) -> float:
    """Thousands of characters per CPU second; the best of three, as the engines have caches that are warm."""
    return max(_once(family, pieces) for _ in range(3))


def _once(family: Family, pieces: list[str]) -> float:
    parser, out = family.parser(TOOLS, False), []
    began = cpu_seconds()
    for piece in pieces:
        out += parser.feed(piece)
    out += parser.flush()
    spent = cpu_seconds() - began
    assert fold(out).calls
    return sum(map(len, pieces)) / spent / 1000


def _theirs(engine: subprocess.Popen[str] | None, name: str, family: Family, pieces: list[str]) -> float | None:
    names = PARSERS[name].get(family.name)
    if engine is None or names is None or engine.stdin is None or engine.stdout is None:
        return None
    task: dict[str, Any] = {
        "tool_parser": names[0],
        "reasoning_parser": names[1],
        "special": family.special,
        "prompt": "</think>" if "</think>" in family.special else "",
        "tools": [tool_object(tool) for tool in TOOLS],
        "pieces": pieces,
        "limit_s": LIMIT_S,
    }
    engine.stdin.write(json.dumps(task) + "\n")
    engine.stdin.flush()
    answer = json.loads(engine.stdout.readline() or '{"error": "it ended"}')
    if "error" in answer or answer["said"] < 0.8 * (answer["fed"] - 200):
        return None
    return float(round(answer["fed"] / max(answer["seconds"], 1e-9) / 1000, 1))


@contextmanager
def _engine(name: str, python: str | None) -> Iterator[subprocess.Popen[str] | None]:
    if not python:
        yield None
        return
    script = Path(__file__).with_name("engine_parsers.py")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python, script, name], text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
