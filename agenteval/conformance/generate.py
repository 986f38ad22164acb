"""Conversations to try reducers on: legal histories with what has broken reducers before: parallel calls, errors and
retries, repeated calls, thoughts, huge results, markup and any characters in texts, rules said late, many turns."""

from __future__ import annotations

import json
from random import Random

from agenteval.messages import Message, ToolCall, ToolSpec, Transcript

GOAL = "Find out why deliveries fail and close the ticket T-4711."
RULES = ("Never touch the file settings-{n}.py.", "Do not write to table t{n}.", "You must not call anybody about {n}.")
WORDS = ("alpha", "beta", "größe", "日本語", "naïve", "🙂", "null", "0x1f", "e-mail", "«q»", "\u202ertl", "tab\there")
MARKUP = ("<|user|>", "<tool_call>read_file", "</think>", "[TOOL_CALLS]", "<|im_start|>system")
ERRORS = ("Error: no such file.", '{"error": "timed out after 30 s"}', "Traceback (most recent call last): boom")
ARGUMENTS = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "note": {"type": "string"}},
    "required": ["path"],
}
TOOLS = tuple(ToolSpec(name, "", ARGUMENTS, name != "close_ticket") for name in ("read_file", "search", "close_ticket"))
"""What is called: two that read, one that acts."""


def conversation(rng: Random, *, turns: int = 6, huge: int = 4000) -> Transcript:
    """A whole conversation that ends with a user's message or results. `huge`: rough size, in
    characters, of the longest results."""
    messages = [Message("system", "You are a careful agent. Keep to the rules."), Message("user", GOAL)]
    number = 0
    for turn in range(rng.randint(1, turns)):
        if turn:
            messages.append(Message("assistant", _words(rng, 12) or "done", _thought(rng)))
            messages.append(Message("user", _request(rng, turn)))
        for _ in range(rng.randint(0, 4)):
            calls = tuple(_call(rng, number + extra) for extra in range(rng.choice((1, 1, 2, 4))))
            number += len(calls)
            messages.append(Message("assistant", rng.choice(("", _words(rng, 6))), _thought(rng), calls))
            messages += [Message("tool", _result(rng, huge), tool_call_id=call.id) for call in calls]
    return tuple(messages)


def _request(rng: Random, turn: int) -> str:
    rule = rng.choice(RULES).replace("{n}", str(turn)) if rng.random() < 0.3 else ""
    return f"Now part {turn}: {_words(rng, 8)}. {rule}".strip()


def _thought(rng: Random) -> str | None:
    return f"I think {_words(rng, 5)}" if rng.random() < 0.5 else None


def _call(rng: Random, number: int) -> ToolCall:
    """One of few calls, so that some are made again; spelled as models spell: spaces, escapes, order of keys."""
    arguments = {"path": f"src/{rng.randint(0, 3)}.py", "note": rng.choice(WORDS)}
    text = json.dumps(arguments, ensure_ascii=rng.random() < 0.5, separators=rng.choice(((", ", ": "), (",", ":"))))
    return ToolCall(f"call_{number}", rng.choice(TOOLS).name, text)


def _result(rng: Random, huge: int) -> str:
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(ERRORS)
    if kind < 0.35:
        return json.dumps(
            {"id": f"id-{rng.randint(100, 999)}", "rows": [_words(rng, 4) for _ in range(rng.randint(0, 20))]}
        )
    if kind < 0.45:
        return f"{rng.choice(MARKUP)} {_words(rng, 6)}"
    if kind < 0.6:
        return (_words(rng, 30) + "\n") * max(huge // 200, 1)
    return _words(rng, rng.randint(0, 40))


def _words(rng: Random, most: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, most)))
