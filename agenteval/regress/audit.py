"""A live audit: what an endpoint's own parser streams, against what the model wrote in the very same reply.

The raw text comes with the reply (logprobs with their bytes; token ids, which the server puts into words), or it is
asked for again: the same request as one body, or the rendered prompt without the chat. A text that was asked for again
counts only if it has as many tokens as the reply that it stands for, and the server answers alike each time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agenteval.client import Attempt, Chat, chat
from agenteval.dialects import ChatRequest, Dialect, encode, sent_history
from agenteval.messages import Message, ToolSpec, tool_object
from agenteval.parsers import Family, ParsedCall, ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.probes import CALLS, PROBES, Call
from agenteval.regress.rawtext import NoText, RawText, thinking_open, told_text, without_stop
from agenteval.regress.reading import reading
from agenteval.regress.record import CUT, Recorded, tools_of
from agenteval.regress.retelling import Retelling
from agenteval.regress.subject import Question
from agenteval.stream import RawTokens, raw_tokens
from agenteval.thinking import Thinking
from agenteval.wire import Limits, Transport

SAY = "agenteval_say"
"""The name under which a request tells `drivers/vllm_say.py` the token ids that it must say."""

UNSTEADY = "the same request is not answered alike each time: a raw text that is asked for again says nothing"
NOT_OBEYED = "the server did not say what it was told to say"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is asked. `extra`: what the body says beside it; `case`: the one whose text the server is made
    to say, None if what it says is the model's affair."""

    name: str
    user: str
    tools: tuple[ToolSpec, ...]
    thinking: Thinking
    extra: Mapping[str, Any] = field(default_factory=dict)
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """How it went: the reply, or in words why it cannot be compared."""

    line: Line
    reply: Recorded | None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Auditor:
    """Whom to ask, and how."""

    transport: Transport
    dialect: Dialect
    model: str
    family: Family
    seed: int = 0
    temperature: float | None = 0.0
    max_tokens: int = 1024
    extra: Mapping[str, Any] = field(default_factory=dict)
    chat: Chat = chat
    limits: Limits = field(default_factory=Limits)

    @property
    def _retelling(self) -> Retelling:
        return Retelling(self.transport, self.dialect.name, self.model, self.family, self.extra, self.limits)

    async def audit(self, lines: Sequence[Line]) -> AsyncIterator[Audited]:
        """Ask one line after the other."""
        for line in lines:
            yield await self._audited(line)

    async def _audited(self, line: Line) -> Audited:
        if line.case is not None:
            ids = await self._retelling.token_ids(line.case.raw)
            if ids is None:
                return Audited(line, None, "the server's /tokenize does not tell the tokens of a text")
            line = replace(line, extra={**line.extra, "vllm_xargs": {SAY: ids}})
        attempt = await self._ask(line, stream=True)
        if attempt.failure is not None:
            return Audited(line, None, f"the request failed: {attempt.failure.detail}")
        raw = raw_tokens(chunk for _, chunk in attempt.recording.chunks)
        text = await self._text(line, attempt, raw)
        if isinstance(text, NoText):
            return Audited(line, None, text.why)
        if line.case is not None and not line.case.raw.startswith(text.text):
            return Audited(line, None, NOT_OBEYED)
        return Audited(line, self._compared(line, attempt, text))

    async def _ask(self, line: Line, *, stream: bool) -> Attempt:
        request = ChatRequest(
            model=self.model,
            history=sent_history(
                (Message("system", PROBES.system), Message("user", line.user)), line.thinking, self.family.name
            ),
            tools=line.tools,
            thinking=line.thinking,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed,
            stream=stream,
            extra={**self.extra, **line.extra},
            family=self.family.name,
            raw_text=True,
        )
        return await self.chat(self.transport, encode(request, self.dialect).body, limits=self.limits)

    def _compared(self, line: Line, attempt: Attempt, text: RawText) -> Recorded:
        reply, said = attempt.reply, _said(attempt)
        asked, reasoned = line.thinking != "off", bool(said.reasoning)
        thinking = thinking_open(self.family, text.text, asked=asked, reasoned=reasoned)
        tools = tools_of(attempt.recording.request or {})
        found = reading(self.family, Question(tools, thinking), text.text)
        whole = line.case and text.text in (line.case.raw, without_stop(line.case.raw, self.family))
        return Recorded(line.name, text.source, found, said, reply.finish_reason, line.case if whole else None)

    async def _text(self, line: Line, attempt: Attempt, raw: RawTokens) -> RawText | NoText:
        """By the first way that leads there."""
        text = self._told(attempt, raw)
        if isinstance(text, RawText):
            return text
        ended = attempt.reply.finish_reason != CUT
        retelling, tokens = self._retelling, _tokens(attempt)
        if text.ids and (worded := await retelling.worded(text.ids, ended=ended)):
            return worded
        again = await self._ask(line, stream=False)
        other: RawText | NoText | None = None
        if again.failure is None and _tokens(again) == tokens is not None:
            other = self._told(again, raw_tokens(chunk for _, chunk in again.recording.chunks))
        if isinstance(other, RawText):
            other = RawText(other.text, "unstreamed")
        else:
            request = attempt.recording.request or {}
            other = await retelling.completed(request, raw.prompt_ids, tokens, ended=ended)
        if other is None:
            return text
        return other if await self._is_steady(line, attempt) else NoText(UNSTEADY)

    async def _is_steady(self, line: Line, attempt: Attempt) -> bool:
        """Whether the same request is answered in the same way once more."""
        return _said(await self._ask(line, stream=True)) == _said(attempt)

    def _told(self, attempt: Attempt, raw: RawTokens) -> RawText | NoText:
        return told_text(raw, self.family, _tokens(attempt), ended=attempt.reply.finish_reason != CUT)


def asked_lines(modes: Sequence[Thinking], *, constrained: bool) -> list[Line]:
    """The probes, each in every thinking mode. `constrained`: a schema that admits only the values that are asked for,
    which a server that constrains calls makes any model write."""
    return [
        Line(f"{name} ({mode})", turn.user, PROBES.tool_specs, mode, _bound(calls) if constrained else {})
        for mode in modes
        for (name, calls), turn in zip(CALLS.items(), PROBES.turns, strict=True)
    ]


def _bound(calls: Sequence[Call]) -> dict[str, Any]:
    """What makes a server's grammar admit these calls only: strict tools whose arguments are constants."""
    tools = []
    for name, given in dict(calls).items():
        (spec,) = (tool for tool in PROBES.tool_specs if tool.name == name)
        known = spec.parameters["properties"]
        bound = {key: {**known[key], "enum": [value]} for key, value in given.items()}
        schema = {"type": "object", "properties": bound, "required": list(given), "additionalProperties": False}
        tool = tool_object(replace(spec, parameters=schema))
        tool["function"]["strict"] = True
        tools.append(tool)
    return {"tools": tools, "tool_choice": "required"}


def said_lines(cases: Sequence[Case], modes: Sequence[Thinking]) -> list[Line]:
    """The texts of a corpus, for a server that says what it is told. A case that begins inside reasoning needs a mode
    with thinking; any other is said without, where that can be. What stands behind a stop token is never said: the
    server ends the reply there."""
    lines = []
    for case in cases:
        mode: Thinking = "on" if case.thinking or "off" not in modes else "off"
        if mode in modes:
            lines.append(Line(case.name, f"Say it: {case.name}.", case.tools, mode, case=case))
    return lines


def _said(attempt: Attempt) -> ParsedMessage:
    """What the server's parser made of a reply."""
    reply = attempt.reply
    calls = tuple(ParsedCall(call.name or "", call.arguments_text) for call in reply.tool_calls)
    return ParsedMessage(reply.reasoning or "", reply.content or "", calls)


def _tokens(attempt: Attempt) -> int | None:
    usage = attempt.reply.usage
    return usage.completion if usage else None
