"""SGLang's parse endpoints as a subject: whole texts only. Whether they are there is asked before anything is
examined; after that an answer that does not come is a finding of its case."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from agenteval.client import PROBE_LIMITS, HttpTransport, fetch_json, normalise_base_url
from agenteval.errors import EndpointError
from agenteval.messages import ToolSpec, tool_object
from agenteval.parsers import Family, ParsedCall, ParsedMessage
from agenteval.regress.engines import SGLANG
from agenteval.regress.subject import Question, Stream, SubjectError, Traits
from agenteval.wire import SLOW

T = TypeVar("T")
TRAITS = Traits(streams=False)


class _Call(msgspec.Struct):
    name: str | None = None
    parameters: str = ""


class _Calls(msgspec.Struct):
    normal_text: str | None = None
    calls: list[_Call] = []


class _Reasoning(msgspec.Struct):
    reasoning_text: str | None = None
    text: str | None = None


class Endpoint:
    """One server, asked one thing at a time; `limit_s`: for one answer."""

    def __init__(self, url: str, limit_s: float) -> None:
        self._limits = replace(PROBE_LIMITS, first_frame_s=limit_s, between_s=limit_s, total_s=limit_s)
        self._runner = asyncio.Runner()
        self._transport = self._runner.run(_transport(normalise_base_url(url)))
        self._answered = False

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """Raises EndpointError if the server cannot be asked, SubjectError if it answers with an error or, after it has
        answered before, not at all."""
        fetched = self._runner.run(fetch_json(self._transport, path, body, limits=self._limits))
        if fetched.fault is not None and self._answered:
            kind = "hung" if fetched.fault.kind in SLOW else "crashed"
            raise SubjectError(kind, f"{path}: {fetched.error}")
        if fetched.fault is not None:
            raise EndpointError(f"{path}: {fetched.error}")
        self._answered = True
        if fetched.status == 404:
            raise EndpointError(f"the server has no {path}: the parse endpoints are SGLang's")
        if fetched.error is not None:
            raise SubjectError("raised", f"{path}: {fetched.error}")
        return fetched.value

    def close(self) -> None:
        self._runner.run(self._transport.aclose())
        self._runner.close()


async def _transport(url: str) -> HttpTransport:
    return HttpTransport(url)


@dataclass(frozen=True, slots=True)
class Remote:
    """A family as a server reads it: first the reasoning, what is left for its tool parser.

    The server is told nothing of the prompt: a reply that began inside reasoning gets its opener back.
    """

    name: str
    family: Family
    endpoint: Endpoint

    @property
    def version(self) -> str | None:
        return None

    @property
    def traits(self) -> Traits:
        return TRAITS

    def greet(self) -> None:
        """Ask for the first time. Raises EndpointError if the server, or its endpoints, are not there."""
        tool = tool_object(ToolSpec("greet", "Greets.", {"type": "object", "properties": {}}))
        names = SGLANG[self.family.name]
        for path, named in (
            ("/separate_reasoning", {"reasoning_parser": names.reasoning_parser}),
            ("/parse_function_call", {"tool_call_parser": names.tool_parser, "tools": [tool]}),
        ):
            if None not in named.values():
                with suppress(SubjectError):
                    self.endpoint.ask(path, {"text": "Hi", **named})

    def whole(self, question: Question, text: str) -> ParsedMessage:
        names, reasoning = SGLANG[self.family.name], ""
        if names.reasoning_parser is not None:
            opener = "[THINK]" if self.family.name == "mistral" else "<think>"
            asked = opener + text if question.thinking and self.family.name != "harmony" else text
            body: dict[str, Any] = {"text": asked, "reasoning_parser": names.reasoning_parser}
            apart = _read(self.endpoint.ask("/separate_reasoning", body), _Reasoning)
            reasoning, text = apart.reasoning_text or "", apart.text or ""
        tools = [tool_object(tool) for tool in question.tools]
        body = {"text": text, "tools": tools, "tool_call_parser": names.tool_parser}
        said = _read(self.endpoint.ask("/parse_function_call", body), _Calls)
        calls = tuple(ParsedCall(call.name or "", call.parameters) for call in said.calls)
        return ParsedMessage(reasoning, said.normal_text or "", calls)

    def stream(self, question: Question, pieces: Sequence[str]) -> Stream:
        raise SubjectError("raised", "parse endpoints take whole texts")


def _read(value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise SubjectError("raised", f"an answer that is none of SGLang's: {error}") from error
