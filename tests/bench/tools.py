"""Benchmark tools of others, each in an environment of its own under `.servers/peers/`, made when first needed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agenteval.server.schedule import Schedule
from tests.bench.program import ROOT, Cost, spent
from tests.bench.semantics import ASKED, Figures

PEERS = ROOT / ".servers" / "peers"
VERSIONS: Mapping[str, str] = {"aiperf": "0.13.0", "llama-benchy": "0.4.0"}
PROMPT_TOKENS = 64
BOOK = "http://127.0.0.1/book.txt"
VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
"""What tiktoken would fetch; the file that we ship is put where it looks first."""

_WORDS = """
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
words = Tokenizer(models.WordLevel({"[UNK]": 0, "word": 1}, unk_token="[UNK]"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").save_pretrained("words")
"""


@dataclass(frozen=True)
class Told:
    """What a tool says, averaged over its requests: beside the figures its speed of the prompt (tokens per second),
    and its whole cost."""

    figures: Figures
    prompt_tok_s: float | None
    cost: Cost


def environment(tool: str) -> Path:
    """Where a tool's programs are; installed first if it is not there."""
    folder = PEERS / f"{tool}-{VERSIONS[tool]}"
    ready = folder / ".ready"
    if not ready.exists():
        print(f"Installing {tool} {VERSIONS[tool]} (once, minutes) ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, f"{tool}=={VERSIONS[tool]}"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{tool} cannot be installed:\n{done.stderr}")
        ready.touch()
    return folder / "bin"


def told(tool: str, url: str, schedule: Schedule, streams: int, requests: int, folder: Path) -> Told:
    """Let a tool make so many requests, so many at a time, of one schedule. Raises SystemExit if it fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return TOOLS[tool](environment(tool), url, (schedule, streams, requests), folder)


_Asked = tuple[Schedule, int, int]


def _aiperf(programs: Path, url: str, asked: _Asked, folder: Path) -> Told:
    schedule, streams, requests = asked
    cached = folder / "tiktoken" / hashlib.sha1(VOCABULARY.encode(), usedforsecurity=False).hexdigest()
    cached.parent.mkdir()
    shutil.copy(ROOT / "agenteval" / "data" / "o200k_base.tiktoken", cached)
    command = [
        *(str(programs / "aiperf"), "profile", "--model", schedule.model, "--url", url.removesuffix("/v1")),
        *("--endpoint-type", "chat", "--streaming", "--concurrency", str(streams), "--request-count", str(requests)),
        *("--tokenizer", "builtin", "--isl", str(PROMPT_TOKENS), "--osl", str(ASKED), "--ui", "none"),
        *("--output-artifact-dir", "out"),
    ]
    cost = _spent(command, folder, TIKTOKEN_CACHE_DIR=str(cached.parent))
    (report,) = (folder / "out").glob("*aiperf.json")
    said = json.loads(report.read_bytes())
    gap = _mean(said, "inter_token_latency", "avg")
    tokens = _mean(said, "output_sequence_length", "avg")
    figures = Figures(_mean(said, "time_to_first_token", "avg"), 1000 / gap if gap else None, tokens)
    return Told(figures, _mean(said, "prefill_throughput_per_user", "avg"), cost)


def _llama_benchy(programs: Path, url: str, asked: _Asked, folder: Path) -> Told:
    schedule, streams, requests = asked
    book = folder / ".cache" / "llama-benchy" / f"{hashlib.md5(BOOK.encode(), usedforsecurity=False).hexdigest()}.txt"
    book.parent.mkdir(parents=True)
    book.write_text("word and more words. " * 20_000)
    subprocess.run([str(programs / "python"), "-c", _WORDS], cwd=folder, check=True, capture_output=True)
    command = [
        *(str(programs / "llama-benchy"), "--base-url", url, "--model", "m", "--served-model-name", schedule.model),
        *("--tokenizer", "./words", "--pp", str(PROMPT_TOKENS), "--tg", str(ASKED), "--runs", str(requests // streams)),
        *("--concurrency", str(streams), "--latency-mode", "none", "--no-warmup", "--skip-coherence"),
        *("--no-adapt-prompt", "--book-url", BOOK, "--format", "json", "--save-result", "result.json"),
    ]
    cost = _spent(command, folder, HOME=str(folder))
    result = folder / "result.json"
    said = (json.loads(result.read_bytes())["benchmarks"] if result.exists() else []) or [{}]
    figures = Figures(_mean(said[0], "e2e_ttft", "mean"), _mean(said[0], "tg_req_throughput", "mean"), None)
    return Told(figures, _mean(said[0], "pp_req_throughput", "mean"), cost)


def _spent(command: Sequence[str], folder: Path, **environ: str) -> Cost:
    return spent(["env", *(f"{name}={value}" for name, value in environ.items()), *command], folder)


def _mean(said: Mapping[str, Any], metric: str, statistic: str) -> float | None:
    value = (said.get(metric) or {}).get(statistic)
    return None if value is None else float(value)


TOOLS: dict[str, Callable[[Path, str, _Asked, Path], Told]] = {"aiperf": _aiperf, "llama-benchy": _llama_benchy}
