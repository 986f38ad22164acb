"""What a model wrote, as far as a server tells it beside its own reading: logprobs with their tokens' bytes, token ids.

Pure, and never raising: what is no such field is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from agenteval.stream.sse import SseDecoder


@dataclass(frozen=True, slots=True)
class RawTokens:
    """Of the first choice, in order: `pieces`, the bytes of each token that logprobs name; `ids` of all tokens
    (`token_ids` of vLLM) and of the prompt's; each empty where the server gave none. The token that ended the reply may
    be among them. `text`: what llama.cpp tells of a whole reply when it is asked to be verbose."""

    pieces: tuple[bytes, ...] = ()
    ids: tuple[int, ...] = ()
    prompt_ids: tuple[int, ...] = ()
    text: str | None = None


def raw_tokens(chunks: Iterable[bytes]) -> RawTokens:
    """The raw tokens in a reply's body, a stream's or a whole one's."""
    pieces: list[bytes] = []
    ids: list[int] = []
    prompt_ids: list[int] = []
    text: str | None = None
    for event in _events(b"".join(chunks)):
        text = _said(event) or text
        prompt_ids = prompt_ids or _numbers(event.get("prompt_token_ids"))
        for choice in _objects(event.get("choices")):
            if choice.get("index") in (0, None):
                logprobs = choice.get("logprobs")
                pieces += _pieces(logprobs) if isinstance(logprobs, dict) else ()
                ids += _numbers(choice.get("token_ids"))
    return RawTokens(tuple(pieces), tuple(ids), tuple(prompt_ids), text)


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    decoder = SseDecoder()
    whole = body.lstrip()[:1] == b"{"
    for payload in [body] if whole else [*decoder.feed(body), *decoder.flush()]:
        try:
            event = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def _pieces(logprobs: dict[str, Any]) -> Iterator[bytes]:
    """By its bytes, where they are told; else by its text."""
    for entry in _objects(logprobs.get("content")):
        told, token = entry.get("bytes"), entry.get("token")
        if isinstance(told, list) and all(type(byte) is int and 0 <= byte < 256 for byte in told):
            yield bytes(told)
        elif isinstance(token, str):
            yield token.encode("utf-8", "replace")


def _said(event: dict[str, Any]) -> str | None:
    verbose = event.get("__verbose")
    text = verbose.get("content") if isinstance(verbose, dict) else None
    return text if isinstance(text, str) else None


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _numbers(value: Any) -> list[int]:
    return [number for number in _list(value) if type(number) is int and number >= 0]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
