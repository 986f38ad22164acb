"""The dialects as a table of values. Sources: the servers' own behaviour, seen in SGLang 0.5.23, vLLM 0.32.0 and
llama.cpp (0c1e570); the captured streams in `fixtures/streams/` show the replies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agenteval.thinking import MODES, Thinking

ALWAYS_THINKING: Mapping[str, Mapping[str, Any]] = {"harmony": {"reasoning_effort": "medium"}}
"""Families without an off switch, and what a request says instead: how much to think, the same on every server."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of server wants requests.

    `reasoning_in`: the field of an assistant message in which the server reads replayed reasoning.
    `empty_content`: what stands for no text beside tool calls (GLM templates print a null as the word None).
    `running_counts`: request fields that make the server count tokens in the stream.
    `switches_thinking`: whether thinking can be chosen per request (by chat template arguments, `thinking_fields`).
    `hides_markup`: whether its parsers swallow tokens that never show as a delta.
    `cached_flag`: the server option without which cached prompt tokens are not reported; None if none is needed.
    """

    name: str
    reasoning_in: Literal["reasoning_content", "reasoning"]
    empty_content: str | None
    running_counts: Mapping[str, Any]
    switches_thinking: bool
    hides_markup: bool
    cached_flag: str | None
    thinking_fields: Mapping[Thinking, Mapping[str, Any]] = field(default_factory=dict)

    def modes(self, family: str | None) -> tuple[Thinking, ...]:
        """Thinking modes that can be asked for; without a switch it is the model's own default, `on`."""
        return MODES if self.switches(family) else ("on",)

    def switches(self, family: str | None) -> bool:
        """Whether a request can choose the thinking mode of a family; nobody knows how an unknown one is switched."""
        return self.switches_thinking and family is not None and family not in ALWAYS_THINKING

    def guesses(self, family: str | None) -> bool:
        """Whether another mode than `on` may be asked of an unknown family: by GLM's arguments, which it may heed."""
        return self.switches_thinking and family is None

    def thinking_body(self, thinking: Thinking, family: str | None) -> Mapping[str, Any]:
        """The fields that ask for a thinking mode of a family; of an unknown one `on` is its default, unasked."""
        if family is None and thinking == "on":
            return {}
        always = ALWAYS_THINKING.get(family or "")
        return self.thinking_fields.get(thinking, {}) if always is None else always


def _template_arguments(enable: bool, clear: bool) -> Mapping[str, Any]:
    return {"chat_template_kwargs": {"enable_thinking": enable, "clear_thinking": clear}}


GLM_TEMPLATE_ARGUMENTS: Mapping[Thinking, Mapping[str, Any]] = {
    "off": _template_arguments(enable=False, clear=True),
    "on": _template_arguments(enable=True, clear=True),
    "preserved": _template_arguments(enable=True, clear=False),
}
"""GLM-4.5 to 5: both are written out each time, because the default of `clear_thinking` changed between releases."""

_COUNTED_STREAM = {"stream_options": {"include_usage": True, "continuous_usage_stats": True}}

DIALECTS: dict[str, Dialect] = {
    "openai": Dialect(
        name="openai",
        reasoning_in="reasoning_content",
        empty_content=None,
        running_counts={"stream_options": {"include_usage": True}},
        switches_thinking=False,
        hides_markup=True,
        cached_flag=None,
    ),
    "sglang": Dialect(
        name="sglang",
        reasoning_in="reasoning_content",
        empty_content="",
        running_counts=_COUNTED_STREAM,
        switches_thinking=True,
        hides_markup=True,
        cached_flag="--enable-cache-report",
        thinking_fields=GLM_TEMPLATE_ARGUMENTS,
    ),
    "vllm": Dialect(
        name="vllm",
        reasoning_in="reasoning",
        empty_content="",
        running_counts=_COUNTED_STREAM,
        switches_thinking=True,
        hides_markup=True,
        cached_flag="--enable-prompt-tokens-details",
        thinking_fields=GLM_TEMPLATE_ARGUMENTS,
    ),
    "llamacpp": Dialect(
        name="llamacpp",
        reasoning_in="reasoning_content",
        empty_content="",
        running_counts={"stream_options": {"include_usage": True}, "timings_per_token": True},
        switches_thinking=True,
        hides_markup=True,
        cached_flag=None,
        thinking_fields=GLM_TEMPLATE_ARGUMENTS,
    ),
}
