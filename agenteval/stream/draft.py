"""The assistant message while it arrives: content, reasoning and calls from deltas, each with its stamps."""

from __future__ import annotations

from typing import Any

from agenteval.stream.calls import Calls
from agenteval.stream.marks import Marks
from agenteval.stream.reply import Defects

REASONING_FIELDS = ("reasoning_content", "reasoning")


class Draft:
    """Takes in deltas; a whole message, as a reply that was not streamed has it, is one big delta."""

    __slots__ = ("_defects", "_marks", "calls", "content", "legacy", "reasoning", "reasoning_field")

    def __init__(self, defects: Defects, marks: Marks, *, whole: bool) -> None:
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.reasoning_field: str | None = None
        self.calls = Calls(defects, by_position=whole)
        self.legacy = False
        self._defects = defects
        self._marks = marks

    def take(self, delta: Any, at: int) -> bool:
        """Take in a delta, whatever it is; whether it showed anything that was generated."""
        if not isinstance(delta, dict):
            self._defects.add("bad_type", "delta is no object")
            return False
        visible = False
        content = delta.get("content")
        if content:
            visible = self._take_content(content, at)
        if "reasoning_content" in delta or "reasoning" in delta:
            visible |= self._take_reasoning(delta, at)
        calls = delta.get("tool_calls")
        if calls:
            visible |= self._take_calls(calls, at)
        if delta.get("function_call"):
            self.legacy = True
        return visible

    def _take_content(self, content: Any, at: int) -> bool:
        if not isinstance(content, str):
            self._defects.add("bad_type", "content is no text")
            return False
        self.content.append(content)
        if self._marks.first_content is None:
            self._marks.first_content = at
        return True

    def _take_reasoning(self, delta: dict[str, Any], at: int) -> bool:
        """Reasoning in either field; in both at once it counts once (servers do so while they rename it)."""
        texts = {name: delta[name] for name in REASONING_FIELDS if delta.get(name)}
        if any(not isinstance(text, str) for text in texts.values()):
            self._defects.add("bad_type", "reasoning is no text")
            texts = {name: text for name, text in texts.items() if isinstance(text, str)}
        if not texts:
            return False
        name = self.reasoning_field if self.reasoning_field in texts else next(iter(texts))
        self.reasoning_field = self.reasoning_field or name
        if name != self.reasoning_field or any(text != texts[name] for text in texts.values()):
            self._defects.add("reasoning_in_two_fields", "reasoning_content and reasoning differ")
        self.reasoning.append(texts[name])
        if self._marks.first_reasoning is None:
            self._marks.first_reasoning = at
        return True

    def _take_calls(self, entries: Any, at: int) -> bool:
        calls, marks = self.calls, self._marks
        visible = calls.add(entries)
        if calls.named and marks.first_name is None:
            marks.first_name = at
        if calls.argued:
            marks.last_argument = at
            if marks.first_argument is None:
                marks.first_argument = at
        return visible
