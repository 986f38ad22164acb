"""Five streams that are easy to misread, as this client and those of others read them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from agenteval.client import HttpTransport, chat
from agenteval.server.process import scheduled_server
from agenteval.server.schedule import Schedule
from tests.bench.program import Row, verdict
from tests.bench.semantics import ASKED, CASES, TOK_S, TTFT_MS, Figures, ours
from tests.bench.tools import PROMPT_TOKENS, TOOLS, VERSIONS, told

TITLE = (
    "Semantics: replies on a schedule (simulated server, real clients over HTTP). True of each: first token after 100 "
    f"ms, 100 tok/s; the prompt of {PROMPT_TOKENS} tokens is read in those 100 ms, at {PROMPT_TOKENS * 10} tok/s. "
    "Wrong: first token off by more than 20 ms, speed or number of tokens by more than 1 %, prompt speed by half, or "
    "nothing said. Bar for agenteval: right in all five. –: not told by that client. (llama-benchy's first token is "
    "its e2e_ttft.)"
)
SOME_MS, SHARE, PROMPT_SHARE = 20.0, 0.01, 0.5


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        for case, schedule in CASES.items():
            yield _row("agenteval", case, schedule, asyncio.run(_asked(schedule)), None)
            for tool in TOOLS:
                yield asyncio.run(_told(tool, case, schedule, Path(name)))


async def _asked(schedule: Schedule) -> Figures:
    body = {
        "model": schedule.model,
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": ASKED,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    async with scheduled_server(60) as server:
        transport = HttpTransport(server.url)
        await transport.prepare(1)
        await chat(
            transport, body
        )  # a server that has just begun keeps its first schedule late; the others ask twice, too
        attempt = await chat(transport, body)
        await transport.aclose()
        assert attempt.failure is None, attempt.failure
        return ours(attempt)


async def _told(tool: str, case: str, schedule: Schedule, folder: Path) -> Row:
    async with scheduled_server(300) as server:
        said = await asyncio.to_thread(told, tool, server.url, schedule, 1, 2, folder / "tool")
    return _row(f"{tool} {VERSIONS[tool]}", case, schedule, said.figures, said.prompt_tok_s)


def _row(client: str, case: str, schedule: Schedule, found: Figures, prompt_tok_s: float | None) -> Row:
    right = (
        found.ttft_ms is not None
        and abs(found.ttft_ms - TTFT_MS) <= SOME_MS
        and found.tok_s is not None
        and abs(found.tok_s / TOK_S - 1) <= SHARE
        and (found.tokens is None or abs(found.tokens / schedule.completion - 1) <= SHARE)
        and (prompt_tok_s is None or abs(prompt_tok_s / (PROMPT_TOKENS * 10) - 1) <= PROMPT_SHARE)
    )
    return {
        "stream": case,
        "client": client,
        "TTFT ms": _rounded(found.ttft_ms),
        "tok/s": _rounded(found.tok_s),
        "tokens": _rounded(found.tokens),
        "of": schedule.completion,
        "prompt tok/s": _rounded(prompt_tok_s),
        "read": ("right" if right else "WRONG") if client != "agenteval" else f"right: {verdict(right)}",
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
