"""A user's own policy, `module:function`: OpenAI messages in, the messages to send out. Runs only where allowed."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from agenteval.context.policy import Action, Budget, Count, ModelReply, ModelRequest, PolicyReport, State, View
from agenteval.errors import UsageError
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript

Wire = dict[str, Any]
Reducer = Callable[[list[Wire]], Sequence[Wire]]


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """Asks the function anew at every step, with the whole transcript."""

    name: str
    reduce: Reducer
    tools: tuple[ToolSpec, ...] = ()

    def begin(self) -> State:
        return None

    def step(self, transcript: Transcript, state: State, budget: Budget, count: Count) -> View:
        messages = reduced(self.reduce, transcript, self.name)
        if broken := broken_pair(messages):
            raise UsageError(
                f"{self.name}: of {len(transcript)} messages it returned {len(messages)}, with {broken}, which servers "
                f"refuse; see: agenteval policies check {self.name} --allow-code"
            )
        first = next((at for at, (a, b) in enumerate(zip(messages, transcript, strict=False)) if a is not b), None)
        if first is None and len(messages) != len(transcript):
            first = min(len(messages), len(transcript))
        if first is None:
            return View(transcript, None, PolicyReport(acted=False, policy=self.name))
        before, after = count(transcript), count(messages)
        known = {id(message) for message in transcript}
        report = PolicyReport(
            acted=True,
            policy=self.name,
            tokens_before=before,
            tokens_after=after,
            first_changed=first,
            dropped_messages=len(transcript) - len(messages),
            changed_messages=sum(id(message) not in known for message in messages),
            actions=(Action(self.name, "always", f"{len(transcript)} → {len(messages)} messages", before, after),),
        )
        return View(messages, None, report)

    def resume(self, state: State, reply: ModelReply) -> View | ModelRequest:
        raise AssertionError("a function asks no model")

    def recall(self, call: ToolCall, transcript: Transcript, state: State) -> str:
        raise AssertionError("a function offers no tools")


def load_reducer(reference: str) -> Reducer:
    """The function that `module:function` names, from the current folder or an installed package. Runs its module."""
    module, _, name = reference.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"{reference}: module {module!r} cannot be imported ({error})") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit, too
        raise UsageError(
            f"{reference}: module {module!r} raised {type(error).__name__}: {error} as it was imported "
            f"({_place(error)})"
        ) from error
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise UsageError(f"{reference}: {module} has no function called {name!r}")
    reducer: Reducer = found
    return reducer


def reduced(reduce: Reducer, transcript: Transcript, name: str) -> Transcript:
    """What a function makes of a transcript; messages that it leaves as they are stay the same objects."""
    wire = [to_wire(message) for message in transcript]
    given = copy.deepcopy(wire)
    try:
        answered = reduce(given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit, too
        raise UsageError(
            f"{name}: with {len(given)} messages it raised {type(error).__name__}: {error} ({_place(error)})"
        ) from error
    if not isinstance(answered, list | tuple) or not all(isinstance(item, dict) for item in answered):
        raise UsageError(f"{name}: the function must return a list of messages (objects with role and content)")
    messages, at = [], 0
    for item in answered:
        found = next((place for place in range(at, len(wire)) if wire[place] == item), None)
        if found is None:
            messages.append(from_wire(item, name))
        else:
            messages.append(transcript[found])
            at = found + 1
    return tuple(messages)


def _place(error: BaseException) -> str:
    """Where it was raised."""
    *_, last = extract_tb(error.__traceback__)
    return f"{Path(last.filename).name}, line {last.lineno}"


def broken_pair(messages: Transcript) -> str:
    """The first call without its result, or result without its call, in words; empty if all are whole."""
    if not messages:
        return "no message at all"
    open_ids: list[str] = []
    for at, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in open_ids:
                return f"the result {message.tool_call_id!r} (message {at + 1}) without its call right before it"
            open_ids.remove(message.tool_call_id)
            continue
        if open_ids:
            break
        open_ids = [call.id for call in message.tool_calls]
    return f"the call {open_ids[0]!r} without its result right behind it" if open_ids else ""


def to_wire(message: Message) -> Wire:
    """A message as OpenAI clients hold it; content is never null."""
    wire: Wire = {"role": message.role, "content": message.content or ""}
    if message.reasoning is not None:
        wire["reasoning_content"] = message.reasoning
    if message.tool_calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_text}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def from_wire(wire: Wire, name: str) -> Message:
    """Raises UsageError for what is no message."""
    role = wire.get("role")
    try:
        calls = tuple(
            ToolCall(str(call["id"]), str(call["function"]["name"]), str(call["function"]["arguments"]))
            for call in wire.get("tool_calls") or ()
        )
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{name}: in a returned message tool_calls is no list of calls with id, function.name and "
            f"function.arguments ({type(error).__name__}: {error})"
        ) from error
    if role not in ("system", "user", "assistant", "tool"):
        raise UsageError(f"{name}: a returned message has the role {role!r}, and there are system/user/assistant/tool")
    return Message(
        role, _text(wire.get("content"), name), wire.get("reasoning_content"), calls, wire.get("tool_call_id")
    )


def _text(content: Any, name: str) -> str | None:
    """A content as one text; of parts their texts."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in content):
        return "".join(part["text"] for part in content)
    raise UsageError(f"{name}: a returned message's content is neither a text nor a list of parts with text")
