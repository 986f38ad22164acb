"""What a server counted, from its `/metrics`: the only witness beside its replies. llama.cpp has no counter of
requests there; its log has a line for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.servers.deployments import Server
from tests.servers.started import Started

LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$")


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums over all requests. `prompt` includes `cached`."""

    requests: int
    prompt: int
    completion: int
    cached: int

    def since(self, before: Counted) -> Counted:
        return Counted(
            self.requests - before.requests,
            self.prompt - before.prompt,
            self.completion - before.completion,
            self.cached - before.cached,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """How a server calls its counters; `prompt` may be a sum; `requests`: None where its log has to tell."""

    requests: str | None
    prompt: tuple[str, ...]
    completion: str
    cached: str


NAMES: Mapping[Server, Names] = {
    "llamacpp": Names(
        None,
        ("llamacpp:prompt_tokens_total", "llamacpp:prompt_tokens_cached_total"),
        "llamacpp:tokens_predicted_total",
        "llamacpp:prompt_tokens_cached_total",
    ),
    "vllm": Names(
        "vllm:request_success_total",
        ("vllm:prompt_tokens_total",),
        "vllm:generation_tokens_total",
        "vllm:prompt_tokens_cached_total",
    ),
    "sglang": Names(
        "sglang:num_requests_total",
        ("sglang:prompt_tokens_total",),
        "sglang:generation_tokens_total",
        "sglang:cached_tokens_total",
    ),
}


def read(server: Started) -> Counted:
    """What the server has counted so far, over all label values."""
    sums: dict[str, float] = {}
    for line in server.get("/metrics").splitlines():
        if found := LINE.match(line):
            sums[found[1]] = sums.get(found[1], 0.0) + float(found[2])
    names = NAMES[server.deployment.server]
    return Counted(
        _in_log(server) if names.requests is None else int(sums.get(names.requests, 0)),
        sum(int(sums.get(name, 0)) for name in names.prompt),
        int(sums.get(names.completion, 0)),
        int(sums.get(names.cached, 0)),
    )


def _in_log(server: Started) -> int:
    """Requests that llama-server has begun to work on."""
    return server.log.read_bytes().count(b"processing task, is_child = 0")
