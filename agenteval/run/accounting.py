"""Token counts of prompts: by rendering them locally where the family is known, else estimated."""

from __future__ import annotations

from agenteval.messages import ToolSpec, Transcript
from agenteval.outcome import Tokens
from agenteval.parsers import FAMILIES
from agenteval.prompts import RENDERERS, PromptCount, count_prompt
from agenteval.scoring.judge import text_of
from agenteval.stream import Reply
from agenteval.thinking import Thinking
from agenteval.tokens import Calibration, Vocabulary, vocabulary


class Accountant:
    """Counts for one endpoint. Estimates are calibrated on the server's own counts of earlier requests."""

    def __init__(self, family: str | None) -> None:
        known = family is not None and family in RENDERERS
        self._family = family if known else None
        self._vocabulary: Vocabulary = vocabulary(FAMILIES[family].special if known and family else ())
        self._calibration = Calibration()

    def prompt(self, messages: Transcript, tools: tuple[ToolSpec, ...], thinking: Thinking) -> PromptCount | None:
        """The rendered prompt's tokens; None for a family whose template is not known here."""
        if self._family is None:
            return None
        return count_prompt(
            self._family,
            messages,
            tools,
            thinking=thinking != "off",
            keep_reasoning=thinking == "preserved",
            vocabulary=self._vocabulary,
        )

    def estimate(self, messages: Transcript, tools: tuple[ToolSpec, ...], thinking: Thinking) -> int:
        """The best count that can be had before a request is sent; for policies."""
        counted = self.prompt(messages, tools, thinking)
        if counted is not None:
            return counted.total
        return self._calibration.estimate(_characters(messages, tools)).value

    def learn(self, messages: Transcript, tools: tuple[ToolSpec, ...], prompt_tokens: int | None) -> None:
        """Take note of a server's count, for later estimates."""
        if prompt_tokens is not None:
            self._calibration.observe(_characters(messages, tools), prompt_tokens)

    def tokens(self, reply: Reply, counted: PromptCount | None, estimate: int) -> Tokens:
        """The counts of one finished request, each from the best source."""
        usage = reply.usage
        prompt = usage.prompt if usage else None
        completion = usage.completion if usage else None
        text = _spoken(reply)
        if completion is None and text:
            completion, completion_source = self._vocabulary.count(text), "tokenizer"
        else:
            completion_source = "server" if completion is not None else None
        return Tokens(
            context=prompt if prompt is not None else counted.total if counted else estimate,
            context_source="server" if prompt is not None else "tokenizer" if counted else "estimate",
            messages=counted.messages if counted else None,
            tools=counted.tools if counted else None,
            prompt=prompt,
            cached=usage.cached if usage else None,
            completion=completion,
            reasoning=usage.reasoning if usage else None,
            completion_source=completion_source,  # type: ignore[arg-type]
        )


def _characters(messages: Transcript, tools: tuple[ToolSpec, ...]) -> int:
    return len(text_of(messages)) + sum(len(str(tool.parameters)) + len(tool.description) for tool in tools)


def _spoken(reply: Reply) -> str:
    calls = "".join(f"{call.name}{call.arguments_text}" for call in reply.tool_calls)
    return f"{reply.reasoning or ''}{reply.content or ''}{calls}"
