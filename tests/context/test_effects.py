"""What each knob does: for every policy and every knob of it two values, and what is different between them.

The conversation has ten turns of one call, and six in the last; a rule and a marked text in early messages, thoughts,
long results and one of JSON, a failure that is made good in its own turn, and calls that are made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from agenteval.context import POLICIES, Budget, ModelReply, ModelRequest, PolicyReport, build_policy, knobs_of
from agenteval.messages import Message, ToolCall, Transcript

RULE, MARKED = "Never delete a branch.", "the key is K-17"
SUMMARY = "Goal: all files. Done: some were read."


def turn(n: int) -> Transcript:
    path = f"f{n if n < 9 else n - 8}.py"
    said = {2: f" {RULE}", 3: f" <pin>{MARKED}</pin>"}.get(n, "")
    lines = "\n".join(f"line {k} of part {n} of {path}" for k in range(40 if n % 4 == 0 else 6))
    calls = [(f'{{"path": "{path}", "depth": {n}}}', lines)]
    if n == 5:
        calls[:0] = [(f'{{"path": "{path}x"}}', "Error: no such file" + " here or there" * 30)]
    if n == 6:
        fields = ", ".join(f'"field{k}": "{"long " * 30}"' for k in range(8))
        calls = [(calls[0][0], f"{{{fields}}}")]
    if n in (7, 8):
        calls += [('{"path": "same.py"}', f"seen in turn {n}" + ", once more" * 20)]
    if n == 10:
        calls += [(f'{{"path": "g{k}.py"}}', f"part {k} of the last turn" + " goes on" * 10) for k in range(5)]
    made: list[Message] = [Message("user", f"Turn {n}: look at {path}.{said}")]
    for at, (arguments, result) in enumerate(calls):
        call = ToolCall(f"c{n}-{at}", "search" if n % 3 == 0 or "same" in arguments else "read_file", arguments)
        made += [Message("assistant", "", f"thought {n}-{at}", (call,)), Message("tool", result, tool_call_id=call.id)]
    return (*made, Message("assistant", f"answer {n}", f"last thought {n}"))


CONVERSATION = (Message("system", "You are an agent."), *(message for n in range(1, 11) for message in turn(n)))


@dataclass(frozen=True)
class Step:
    turn: int
    seen: Transcript
    report: PolicyReport


@dataclass(frozen=True)
class Trace:
    """What a policy let through at every step, and what it asked a model."""

    steps: tuple[Step, ...]
    asked: tuple[ModelRequest, ...]

    @property
    def acted(self) -> list[int]:
        return [step.turn for step in self.steps if step.report.acted]

    @property
    def text(self) -> str:
        """The last view."""
        return text_of(self.steps[-1].seen)

    def since(self, turn: int) -> Trace:
        return Trace(tuple(step for step in self.steps if step.turn >= turn), self.asked)

    @property
    def texts(self) -> str:
        """All views."""
        return "\n".join(text_of(step.seen) for step in self.steps)


def text_of(messages: Transcript) -> str:
    return "\n".join(f"{m.role}: {m.content} {m.reasoning} {m.tool_calls}" for m in messages)


def tokens(messages: Transcript) -> int:
    return sum(10 + len(text_of((message,))) // 4 for message in messages)


def traced(spec: str) -> Trace:
    policy = build_policy(spec)
    state, steps, asked = policy.begin(), [], []
    for end in range(2, len(CONVERSATION) + 1):
        if CONVERSATION[end - 1].role not in ("user", "tool"):
            continue
        seen = CONVERSATION[:end]
        view = policy.step(seen, state, Budget(needed=("f1.py",)), tokens)
        while isinstance(view, ModelRequest):
            asked.append(view)
            view = policy.resume(view.state, ModelReply(SUMMARY, "stop"))
        state = view.state
        steps.append(Step(sum(m.role == "user" for m in seen), view.messages, view.report))
    return Trace(tuple(steps), tuple(asked))


Check = Callable[[Trace, Trace], bool]
MARKS = "trigger=900,target=500,min_reclaim=30"
BASE = {
    "sliding_window": MARKS,
    "head_tail": f"{MARKS},keep_last=2",
    "observation_masking": "keep_last=2,step=2",
    "clear_tool_uses": f"{MARKS},keep_last=1",
    "extractive_ledger": f"{MARKS},keep_last=1",
    "summarize": f"{MARKS},keep_last=1,limit=60",
    "mask_then_summarize": f"{MARKS},keep_last=1,limit=60",
    "context_reset": f"{MARKS},limit=60",
}


WHOLE = frozenset(message.content for message in CONVERSATION if message.role == "tool")


def whole(step: Step) -> int:
    """Results that are whole in a view."""
    return sum(message.content in WHOLE for message in step.seen if message.role == "tool")


def results(trace: Trace) -> int:
    return whole(trace.steps[-1])


def keeps_fewer(one: Trace, other: Trace) -> bool:
    """Right after an action, at its fewest."""
    fewest = [min(whole(step) for step in trace.steps if step.report.acted) for trace in (one, other)]
    return fewest[0] < fewest[1]


def first(trace: Trace) -> int:
    return trace.acted[0] if trace.acted else 99


def differs(one: Trace, other: Trace) -> bool:
    return [step.seen for step in one.steps] != [step.seen for step in other.steps]


def low_mark(one: Trace, other: Trace) -> bool:
    """The lower one frees more, or says by how much it missed."""
    missed = [max((step.report.missed_target or 0 for step in trace.steps), default=0) for trace in (one, other)]
    return len(text_of(one.steps[-1].seen)) > len(text_of(other.steps[-1].seen)) or missed[1] > missed[0]


def apart(trace: Trace, turns: int) -> bool:
    """Whether every rule waits so many turns between two actions."""
    by_rule: dict[str, list[int]] = {}
    for step in trace.steps:
        for action in step.report.actions:
            by_rule.setdefault(action.rule, []).append(step.turn)
    return all(later - before >= turns for acted in by_rule.values() for before, later in pairwise(acted))


def fewer_gaps(one: Trace, other: Trace) -> bool:
    return apart(other, 4) and not apart(one, 4) and bool(other.acted)


def counted(one: Trace, other: Trace) -> bool:
    figures = [[(s.report.tokens_before, s.report.tokens_after) for s in trace.steps] for trace in (one, other)]
    return figures[0] != figures[1]


SHARED: dict[str, tuple[str, str, Check]] = {
    "trigger": ("trigger=900", "trigger=1500", lambda one, other: first(one) < first(other)),
    "target": ("target=600", "target=100", low_mark),
    "min_reclaim": ("min_reclaim=30", "min_reclaim=9000", lambda one, other: bool(one.acted) and not other.acted),
    "cooldown_turns": (
        "cooldown_turns=0",
        "cooldown_turns=4",
        fewer_gaps,
    ),
    "keep_last": ("keep_last=1", "keep_last=4", keeps_fewer),
    "sticky": ("sticky=yes", "sticky=no", differs),
    "placeholder": (
        "placeholder=gone by the harness",
        "placeholder=other words",
        lambda one, other: "gone by the harness" in one.texts and "other words" in other.texts,
    ),
    "count": ("count=server", "count=tokenizer", counted),
    "pin": (
        "pin=constraints",
        "pin=tags",
        lambda one, other: (
            (RULE in one.text, MARKED in one.text, RULE in other.text, MARKED in other.text)
            == (True, False, False, True)
        ),
    ),
    "exclude": ("exclude=search", "exclude=", differs),
}
Pair = tuple[str, str, Check]


def shorter(one: Trace, other: Trace) -> bool:
    return len(one.text) < len(other.text)


def says(first_only: str, second_only: str) -> Check:
    """The last view of one has the first text and not the second, and the other the other way round."""

    def check(one: Trace, other: Trace) -> bool:
        found = [[text in trace.text for text in (first_only, second_only)] for trace in (one, other)]
        return found == [[True, False], [False, True]]

    return check


def asks(first_only: str, second_only: str) -> Check:
    """The same of what a model is asked first."""

    def check(one: Trace, other: Trace) -> bool:
        asked = [text_of(trace.asked[0].messages) for trace in (one, other)]
        return [[text in said for text in (first_only, second_only)] for said in asked] == [
            [True, False],
            [False, True],
        ]

    return check


def thoughts(trace: Trace) -> int:
    return sum(bool(message.reasoning) for message in trace.steps[-1].seen)


def fewer_thoughts(one: Trace, other: Trace) -> bool:
    return thoughts(one) < thoughts(other)


def fewer_acts(one: Trace, other: Trace) -> bool:
    return 0 < len(one.acted) < len(other.acted)


def still_json(trace: Trace) -> bool:
    (result,) = [m.content or "" for m in trace.steps[-1].seen if m.tool_call_id == "c6-0"]
    try:
        return isinstance(json.loads(result), dict)
    except ValueError:
        return False


SUMMARIES: dict[str, tuple[Pair, ...]] = {
    "limit": (("limit=60", "limit=90", lambda one, other: one.asked[0].max_tokens + 30 == other.asked[0].max_tokens),),
    "mode": (
        (
            "mode=suffix",
            "mode=offline",
            lambda one, other: (
                one.asked[0].offers_tools
                and one.asked[0].messages[:3] == CONVERSATION[:3]
                and not other.asked[0].offers_tools
                and [message.role for message in other.asked[0].messages] == ["system", "user"]
            ),
        ),
    ),
    "style": (
        ("style=free", "style=structured", asks("Write plain prose", "One short line per entry")),
        ("style=structured", "style=anchored", asks("One short line per entry", "correct what has changed")),
    ),
}
OWN: dict[tuple[str, str], tuple[Pair, ...]] = {
    ("tool_output_limit", "limit"): (("limit=40", "limit=200", shorter),),
    ("tool_output_limit", "shape"): (
        ("limit=60,shape=head", "limit=60,shape=tail", says("line 0 of part 8", "line 39 of part 8")),
        ("limit=60,shape=head", "limit=60,shape=head_tail", lambda one, other: "line 39 of" in other.text),
        ("limit=250,shape=json_fields", "limit=250", lambda one, other: still_json(one) and not still_json(other)),
    ),
    ("tool_output_limit", "head"): (
        ("limit=60,head=100", "limit=60,head=0", says("line 0 of part 8", "line 39 of part 8")),
    ),
    ("tool_output_limit", "exclude"): (("limit=40,exclude=", "limit=40,exclude=search", shorter),),
    ("offload", "limit"): (("limit=40,preview=20", "limit=300,preview=20", shorter),),
    ("offload", "preview"): (("limit=60,preview=0", "limit=60,preview=50", shorter),),
    ("offload", "exclude"): (("limit=40,preview=20,exclude=", "limit=40,preview=20,exclude=search", shorter),),
    ("sliding_window", "cooldown_turns"): (
        ("trigger=700,target=600,min_reclaim=1", "trigger=700,target=600,min_reclaim=1,cooldown_turns=4", fewer_gaps),
    ),
    ("sliding_window", "keep_last"): (
        (
            "trigger=400,target=100,keep_last=1",
            "trigger=400,target=100,keep_last=3",
            lambda one, other: keeps_fewer(one.since(10), other.since(10)),
        ),
    ),
    ("head_tail", "keep_first"): (
        ("keep_first=0", "keep_first=3", lambda one, other: "line 0 of part 2" in other.text),
    ),
    ("observation_masking", "trigger"): (
        ("trigger=500,target=300", "trigger=2500", lambda one, other: first(one) < first(other)),
        ("trigger=3turns", "trigger=9turns", lambda one, other: first(one) <= 4 < 9 < first(other)),
        ("trigger=3tool_uses", "trigger=9tool_uses", lambda one, other: first(one) < first(other)),
        ("trigger=on_error", "trigger=always", fewer_acts),
    ),
    ("observation_masking", "target"): (("trigger=700,target=600", "trigger=700,target=100", low_mark),),
    ("observation_masking", "step"): (("step=4", "step=1", fewer_acts),),
    ("observation_masking", "larger_than"): (
        ("larger_than=0", "larger_than=400", lambda one, other: results(one) < results(other)),
    ),
    ("clear_tool_uses", "clear_inputs"): (
        ("clear_inputs=no", "clear_inputs=yes", lambda one, other: one.text.count("'{}'") < other.text.count("'{}'")),
    ),
    ("clear_thinking", "keep"): (
        ("keep=none", "keep=tool_loop", lambda one, other: thoughts(one) == 0 < thoughts(other) == 6),
        ("keep=tool_loop", "keep=last_n,keep_last=2", fewer_thoughts),
        ("keep=last_n,keep_last=2", "keep=all", fewer_thoughts),
    ),
    ("clear_thinking", "keep_last"): (("keep=last_n,keep_last=1", "keep=last_n,keep_last=3", fewer_thoughts),),
    ("clear_thinking", "count"): (("keep=none", "keep=none,count=chars", counted),),
    ("dedupe_tool_results", "key"): (("key=path", "key=", lambda one, other: results(one) < results(other)),),
    ("recite_state", "every"): (("every=4", "every=1", shorter),),
    ("recite_state", "limit"): (("every=1,limit=30", "every=1,limit=200", shorter),),
    ("extractive_ledger", "limit"): (("limit=60", "limit=400", shorter),),
    ("context_reset", "carry"): (
        ("carry=summary", "carry=ledger", says(SUMMARY, "Ledger of earlier messages")),
        ("carry=ledger", "carry=nothing", says("Ledger of earlier messages", "All earlier messages were removed")),
    ),
    **{
        (name, knob): pairs
        for name in ("summarize", "mask_then_summarize", "context_reset")
        for knob, pairs in SUMMARIES.items()
    },
}
KNOBS = [(name, knob) for name, kind in POLICIES.items() for knob, _ in knobs_of(kind)]


@pytest.mark.parametrize(("policy", "knob"), KNOBS)
def test_a_knob_does_what_it_says(policy: str, knob: str) -> None:
    for one, other, check in OWN.get((policy, knob)) or (SHARED[knob],):
        specs = [spec(policy, one), spec(policy, other)]
        assert check(*map(traced, specs)), specs


def spec(policy: str, knobs: str) -> str:
    """With the base's other knobs."""
    given = {part.partition("=")[0] for part in knobs.split(",")}
    kept = [part for part in BASE.get(policy, "").split(",") if part and part.partition("=")[0] not in given]
    return f"{policy}:{','.join([*kept, knobs])}"
