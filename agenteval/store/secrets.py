"""Keys and tokens, masked in every text that leaves the process: journal, frames, reports, messages.

Masked are whole string values and parts of them, never keys of JSON or bytes of its punctuation. Not covered: a secret
that a server returns in another spelling (base64, split over two fields).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from agenteval.masked import MASK
from agenteval.store.requests import Spelled
from agenteval.wire import Recording

MIN_SECRET = 8
"""Shorter keys (`EMPTY`, `x`) are placeholders of servers without keys; masking them would tear words apart."""

BEGINNING = 12
"""So much of a secret's beginning is taken for it: what a server says is cut where it is long."""

SECRET_NAME = re.compile(r"cookie|auth|key|secret|token$|password", re.IGNORECASE)
"""Names of headers and body fields whose values are secrets (`max_tokens` is none)."""

_SCHEME = re.compile(r"^(Bearer|Basic|Token)\s+", re.IGNORECASE)


def named_texts(value: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with each name that it stands under, however deep."""
    if isinstance(value, str):
        yield from ((name, value) for name in names)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from named_texts(item, (*names, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from named_texts(item, names)


def _without(text: str, secret: str) -> str:
    """A text in which a secret is masked; also one that was cut, if its first `BEGINNING` characters are left."""
    begins = secret[:BEGINNING]
    parts, done, at = [], 0, text.find(begins)
    while at >= 0:
        end = at + len(begins)
        while end < min(len(text), at + len(secret)) and text[end] == secret[end - at]:
            end += 1
        parts += [text[done:at], MASK]
        done, at = end, text.find(begins, end)
    return "".join([*parts, text[done:]])


class Secrets:
    """Knows the secrets of one run, and how to take them out of what is written."""

    def __init__(self, api_key: str | None, fields: Iterable[tuple[str, str]]) -> None:
        values = [api_key or "", *(value for name, value in fields if SECRET_NAME.search(name))]
        bare = {_SCHEME.sub("", value) for value in values} | set(values)
        self._secrets = sorted((value for value in bare if len(value) >= MIN_SECRET), key=len, reverse=True)

    def text(self, text: str) -> str:
        """A text without secrets, also where they stand as they are written inside JSON."""
        for secret in self._secrets:
            for spelled in {secret, json.dumps(secret)[1:-1]}:
                text = _without(text, spelled)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value with its texts masked; keys stay."""
        if not self._secrets:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def spelled(self, request: Spelled | None) -> Spelled | None:
        """A request's body with its texts masked."""
        if request is None or not self._secrets:
            return request
        return replace(request, changed=self.value(request.changed), messages=self.value(request.messages))

    def recording(self, recording: Recording) -> Recording:
        """A recording whose chunks keep their number and lengths; secrets are masked across chunk borders, too."""
        if not self._secrets:
            return recording
        body = b"".join(chunk for _, chunk in recording.chunks)
        for secret in self._secrets:
            for spelled in {secret.encode(), json.dumps(secret)[1:-1].encode()}:
                body = body.replace(spelled, b"*" * len(spelled))
        at, chunks = 0, []
        for stamp, chunk in recording.chunks:
            chunks.append((stamp, body[at : at + len(chunk)]))
            at += len(chunk)
        headers = tuple((name, self.text(value)) for name, value in recording.headers)
        return replace(recording, headers=headers, chunks=tuple(chunks))
