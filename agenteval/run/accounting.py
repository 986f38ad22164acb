"""Token counts of prompts: by rendering what is sent locally where the family is known, else estimated."""

from __future__ import annotations

from dataclasses import dataclass

from agenteval.growing import Grown
from agenteval.messages import Message, ToolSpec, Transcript
from agenteval.outcome import Tokens
from agenteval.parsers import FAMILIES
from agenteval.prompts import FORMATS, PromptCount, PromptCounter, Reuse
from agenteval.scoring.shown import message_texts, tool_text
from agenteval.stream import Reply, Usage
from agenteval.thinking import Thinking
from agenteval.tokens import Calibration, CountSource, TokenCount, Vocabulary, vocabulary


@dataclass(frozen=True, slots=True)
class Size:
    """How large a prompt is before any server has counted it: `units` are the tokens of the local rendering
    (`counted`), or characters where that cannot be had."""

    counted: PromptCount | None
    units: int

    def learnt(self, calibration: Calibration, server_tokens: int | None) -> Calibration:
        """The calibration with what a server counted for a prompt of this size."""
        if server_tokens is None:
            return calibration
        return calibration.learn(self.units, TokenCount(server_tokens, "server"))

    def estimate(self, calibration: Calibration) -> int:
        """Tokens that the server will count: scaled by what it counted before in this cell.

        Without evidence a local count stands as it is; servers differ from it by their own tokenizer.
        """
        if self.counted is not None and not calibration.pairs:
            return self.units
        return calibration.estimate(self.units).value


class Scale:
    """Measures the prompts of one conversation; what was measured before is not measured again. `counter`: None where
    the family's template is not known."""

    def __init__(self, counter: PromptCounter | None, thinking: Thinking) -> None:
        self._counter = counter
        self._thinking = thinking
        self._characters: Grown[Message, int] = Grown()

    def size(self, sent: Transcript, tools: tuple[ToolSpec, ...]) -> Size:
        """How large a prompt is before any server has counted it: that of the messages as they are sent."""
        if self._counter is None:
            said = self._characters.grow(sent, lambda at: sum(len(text) + 1 for text in message_texts(sent[at])))
            return Size(None, sum(said) + sum(len(tool_text(tool)) + 1 for tool in tools) - 1)
        counted = self._counter.count(
            sent, tools, thinking=self._thinking != "off", keep_reasoning=self._thinking == "preserved"
        )
        return Size(counted, counted.total)


class Accountant:
    """Counts for one endpoint's family of models."""

    def __init__(self, family: str | None) -> None:
        self._rendered = family if family in FORMATS else None
        self._vocabulary: Vocabulary = vocabulary(FAMILIES[self._rendered].special if self._rendered else ())

    def scale(self, thinking: Thinking) -> Scale:
        """What measures the prompts of one conversation."""
        counter = PromptCounter(self._rendered, self._vocabulary) if self._rendered else None
        return Scale(counter, thinking)

    def reuse(self, thinking: Thinking) -> Reuse | None:
        """What watches how prompts of one conversation go on from each other; None where the template is not known."""
        if self._rendered is None:
            return None
        return Reuse(FORMATS[self._rendered], self._vocabulary, keep_reasoning=thinking == "preserved")

    def tokens(self, reply: Reply, size: Size, estimate: int) -> Tokens:
        """The counts of one finished request, each from the best source."""
        usage, counted = reply.usage or Usage(), size.counted
        prompt = usage.prompt
        completion, completion_source = self._completion(reply, usage)
        context, context_source = _context(prompt, counted, estimate)
        return Tokens(
            context=context,
            context_source=context_source,
            messages=counted.messages if counted else None,
            tools=counted.tools if counted else None,
            prompt=prompt,
            cached=usage.cached,
            completion=completion,
            reasoning=usage.reasoning,
            completion_source=completion_source,
        )

    def _completion(self, reply: Reply, usage: Usage) -> tuple[int | None, CountSource | None]:
        """The server's count, else a local one of what is visible; None for a reply without text."""
        if usage.completion is not None:
            return usage.completion, "server"
        text = _spoken(reply)
        return (self._vocabulary.count(text), "tokenizer") if text else (None, None)


def _context(prompt: int | None, counted: PromptCount | None, estimate: int) -> tuple[int, CountSource]:
    if prompt is not None:
        return prompt, "server"
    return (counted.total, "tokenizer") if counted else (estimate, "estimate")


def _spoken(reply: Reply) -> str:
    calls = "".join(f"{call.name}{call.arguments_text}" for call in reply.tool_calls)
    return f"{reply.reasoning or ''}{reply.content or ''}{calls}"
