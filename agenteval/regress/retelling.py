"""A server asked again for what its model wrote: token ids put into words, or the rendered prompt without the chat."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agenteval.client import fetch_json
from agenteval.outcome import StepRecord
from agenteval.parsers import Family
from agenteval.regress.rawtext import NOT_TOLD, RawText, told_text, without_stop
from agenteval.stream import RawTokens
from agenteval.wire import Limits, Transport


@dataclass(frozen=True, slots=True)
class Retelling:
    """One server, and how it is spoken to. `extra`: goes into bodies that generate."""

    transport: Transport
    dialect: str
    model: str
    family: Family
    extra: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    async def token_ids(self, text: str) -> list[int] | None:
        """The tokens of a text; None if the server does not tell them."""
        return _ids(await self._asked("/tokenize", {"model": self.model, "prompt": text, "add_special_tokens": False}))

    async def worded(self, ids: Sequence[int], *, ended: bool) -> RawText | None:
        """What the server says that token ids mean."""
        answer = await self._asked(
            "/detokenize", {"model": self.model, "tokens": list(ids), "skip_special_tokens": False}
        )
        said = [answer.get(key) for key in ("prompt", "text", "content")] if isinstance(answer, dict) else []
        text = next((text for text in said if isinstance(text, str)), None)
        return None if text is None else RawText(without_stop(text, self.family) if ended else text, "token ids")

    async def completed(
        self, request: Mapping[str, Any], prompt_ids: Sequence[int], tokens: int | None, *, ended: bool
    ) -> RawText | None:
        """The prompt of a chat request again, without the chat; None if it is not to be had, or the reply does not have
        as many `tokens`."""
        prompt = list(prompt_ids) or await self._prompt(request)
        if not prompt:
            return None
        kept = {key: value for key, value in request.items() if key in ("max_tokens", "temperature", "seed")}
        body = {**self.extra, **kept, "model": self.model, "prompt": prompt, "skip_special_tokens": False}
        text, counted = _completion(await self._asked("/v1/completions", body))
        if text is None or counted is None or counted != tokens:
            return None
        return RawText(without_stop(text, self.family) if ended else text, "completions")

    async def _prompt(self, request: Mapping[str, Any]) -> list[int] | str | None:
        """A chat request's prompt: as token ids (vLLM, SGLang) or as text (llama.cpp)."""
        told = {key: request[key] for key in ("model", "messages", "tools", "chat_template_kwargs") if key in request}
        if self.dialect == "llamacpp":
            answer = await self._asked("/apply-template", told)
            prompt = answer.get("prompt") if isinstance(answer, dict) else None
            return prompt if isinstance(prompt, str) else None
        return _ids(await self._asked("/tokenize", {**told, "add_generation_prompt": True}))

    async def _asked(self, path: str, body: Mapping[str, Any]) -> Any:
        return (await fetch_json(self.transport, path, body, limits=self.limits)).value


@dataclass(frozen=True, slots=True)
class Recalling:
    """The same for recorded replies, one at a time: what `record` asks where a recording holds no raw text."""

    retelling: Retelling
    runner: asyncio.Runner

    def find(self, request: Mapping[str, Any], raw: RawTokens, record: StepRecord) -> RawText | str:
        """The raw text of a recorded reply, or in words why there is none."""
        tokens, ended = record.tokens.completion, bool(record.reply and record.reply.finish_reason != "length")
        ids = getattr(told_text(raw, self.retelling.family, tokens, ended=ended), "ids", ())
        found = self.runner.run(self.retelling.worded(ids, ended=ended)) if ids else None
        if found is None:
            asking = self.retelling.completed(request, raw.prompt_ids, tokens, ended=ended)
            found = self.runner.run(asking)
        return found or f"{NOT_TOLD}, and the endpoint now gives another reply, or none"


def _ids(answer: Any) -> list[int] | None:
    tokens = answer.get("tokens") if isinstance(answer, dict) else None
    return tokens if isinstance(tokens, list) and all(type(number) is int for number in tokens) else None


def _completion(answer: Any) -> tuple[str | None, int | None]:
    """Text and tokens of a completion."""
    if not isinstance(answer, dict):
        return None, None
    choices, usage = answer.get("choices"), answer.get("usage")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    text = first.get("text")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return text if isinstance(text, str) else None, tokens if type(tokens) is int else None
