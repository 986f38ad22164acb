"""The dialects as a table of values. Sources: the servers' own behaviour, seen in SGLang 0.5.23, vLLM 0.32.0 and
llama.cpp (0c1e570); the captured streams in `fixtures/streams/` show the replies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agenteval.thinking import MODES, Thinking

ALWAYS_THINKING: Mapping[str, Mapping[str, Any]] = {"harmony": {"reasoning_effort": "medium"}}
"""Families without an off switch, and what a request says instead: how much to think, the same on every server."""


def _template_arguments(**arguments: bool) -> Mapping[str, Any]:
    return {"chat_template_kwargs": arguments}


GLM_TEMPLATE_ARGUMENTS: Mapping[Thinking, Mapping[str, Any]] = {
    "off": _template_arguments(enable_thinking=False, clear_thinking=True),
    "on": _template_arguments(enable_thinking=True, clear_thinking=True),
    "preserved": _template_arguments(enable_thinking=True, clear_thinking=False),
}
"""GLM-4.5 to 5: both are written out each time, because the default of `clear_thinking` changed between releases."""

SWITCHES: Mapping[str, Mapping[Thinking, Mapping[str, Any]]] = {
    "glm45": GLM_TEMPLATE_ARGUMENTS,
    "glm47": GLM_TEMPLATE_ARGUMENTS,
    "deepseek_v31": {"off": _template_arguments(thinking=False), "on": _template_arguments(thinking=True)},
    "gemma4": {"off": _template_arguments(enable_thinking=False), "on": _template_arguments(enable_thinking=True)},
}
"""Families of which every model heeds a switch: thinking mode → what a request says. The templates of the last two drop
the reasoning of earlier user turns, so that nothing can be preserved. Of other families some models have a switch
(Qwen3), some never think, some always do: they are asked as they come."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of server wants requests.

    `reasoning_in`: the field of an assistant message in which the server reads replayed reasoning.
    `empty_content`: what stands for no text beside tool calls (GLM templates print a null as the word None).
    `running_counts`: request fields that make the server count tokens in the stream.
    `switches_thinking`: whether thinking can be chosen per request (by chat template arguments, see `SWITCHES`).
    `hides_markup`: whether its parsers swallow tokens that never show as a delta.
    `salts_cache`: whether requests with different `cache_salt` share nothing in the prefix cache.
    `raw_text`: request fields that make the server tell what the model wrote, beside what its parsers read in it;
    logprobs with their bytes, token ids. llama.cpp tells it of whole replies only.
    `cached_flag`: the server option without which cached prompt tokens are not reported; None if none is needed.
    """

    name: str
    reasoning_in: Literal["reasoning_content", "reasoning"]
    empty_content: str | None
    running_counts: Mapping[str, Any]
    switches_thinking: bool
    hides_markup: bool
    cached_flag: str | None
    raw_text: Mapping[str, Any]
    salts_cache: bool = False

    def modes(self, family: str | None) -> tuple[Thinking, ...]:
        """Thinking modes that can be asked for; without a switch it is the model's own default, `on`."""
        switched = SWITCHES.get(family or "", {}) if self.switches_thinking else {}
        return tuple(mode for mode in MODES if mode in switched) or ("on",)

    def switches(self, family: str | None) -> bool:
        """Whether a request can choose the thinking mode of a family: of one whose switch is known."""
        return self.switches_thinking and family in SWITCHES

    def guesses(self, family: str | None) -> bool:
        """Whether another mode than `on` may be asked of a family whose switch is not known: by GLM's arguments, which
        its models may heed."""
        return self.switches_thinking and family not in SWITCHES and family not in ALWAYS_THINKING

    def thinking_body(self, thinking: Thinking, family: str | None) -> Mapping[str, Any]:
        """The fields that ask for a thinking mode of a family; without a known switch `on` is unasked for."""
        if family in ALWAYS_THINKING:
            return ALWAYS_THINKING[family or ""]
        if not self.switches_thinking:
            return {}
        if family in SWITCHES:
            return SWITCHES[family or ""].get(thinking, {})
        return {} if thinking == "on" else GLM_TEMPLATE_ARGUMENTS[thinking]


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
        raw_text={"logprobs": True},
    ),
    "sglang": Dialect(
        name="sglang",
        reasoning_in="reasoning_content",
        empty_content="",
        running_counts=_COUNTED_STREAM,
        switches_thinking=True,
        hides_markup=True,
        cached_flag="--enable-cache-report",
        salts_cache=True,
        raw_text={"logprobs": True},
    ),
    "vllm": Dialect(
        name="vllm",
        reasoning_in="reasoning",
        empty_content="",
        running_counts=_COUNTED_STREAM,
        switches_thinking=True,
        hides_markup=True,
        cached_flag="--enable-prompt-tokens-details",
        salts_cache=True,
        raw_text={"logprobs": True, "return_token_ids": True},
    ),
    "llamacpp": Dialect(
        name="llamacpp",
        reasoning_in="reasoning_content",
        empty_content="",
        running_counts={"stream_options": {"include_usage": True}, "timings_per_token": True},
        switches_thinking=True,
        hides_markup=True,
        cached_flag=None,
        raw_text={"verbose": True},
    ),
}
