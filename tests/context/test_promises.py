"""What the harness writes into a view is true: it invites only to what brings something, and to no act twice."""

from __future__ import annotations

import json

import pytest

from agenteval.context import Budget, ModelReply, ModelRequest, View, build_policy
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript
from agenteval.scenario import bind, load_suite

PATH = {"path": {"type": "string"}}
RANGE = {**PATH, "first": {"type": "integer"}, "last": {"type": "integer"}}


def tool(properties: object, read_only: bool | None) -> ToolSpec:
    return ToolSpec("work", "", {"type": "object", "properties": properties, "required": ["path"]}, read_only)


READS, READS_IN_PARTS, ACTS = tool(PATH, True), tool(RANGE, True), tool(RANGE, False)
KINDS = [(READS,), (READS_IN_PARTS,), (ACTS,), ()]
LONG = "\n".join(f"line {n} of a long result" for n in range(300))
FIELDS = json.dumps({"rows": [f"row {n} of a long list" for n in range(300)], "text": LONG})


def transcript(results: int, result: str = LONG) -> Transcript:
    messages = [Message("system", "You are an agent."), Message("user", "Do it.")]
    for n in range(results):
        call = ToolCall(f"c{n}", "work", f'{{"path": "f{n}.py"}}')
        messages += [Message("assistant", "", None, (call,)), Message("tool", result, tool_call_id=call.id)]
    return tuple(messages)


def letters(messages: Transcript) -> int:
    return sum(len(message.content or "") for message in messages) // 4


def seen(spec: str, tools: tuple[ToolSpec, ...], messages: Transcript) -> str:
    policy = build_policy(spec)
    view = policy.step(messages, policy.begin(), Budget(tools=tools), letters)
    assert not isinstance(view, ModelRequest)
    assert view.report.acted
    return "\n".join(message.content or "" for message in view.messages)


@pytest.mark.parametrize("tools", KINDS)
@pytest.mark.parametrize(("shape", "result"), [("head_tail", LONG), ("head", LONG), ("json_fields", FIELDS)])
def test_a_cap_never_says_that_the_same_call_brings_more(tools: tuple[ToolSpec, ...], shape: str, result: str) -> None:
    text = seen(f"tool_output_limit:shape={shape}", tools, transcript(1, result))
    assert "by the harness" in text
    assert "again" not in text
    assert ("ask for a narrower part" in text) == (tools == (READS_IN_PARTS,))


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (FIELDS, None),
        (LONG, "is no JSON object or list"),
        (json.dumps(LONG), "is no JSON object or list"),
        (json.dumps({f"field {n}": n for n in range(900)}), "does not fit into 300 tokens as JSON"),
        (json.dumps([LONG] * 200), "is longer than 1,000,000 characters"),
    ],
)
def test_fields_that_cannot_be_kept_are_told(result: str, why: str | None) -> None:
    """And the result is cut as the report says."""
    fields, cut = (build_policy(f"tool_output_limit:shape={shape}") for shape in ("json_fields", "head_tail"))
    views = [policy.step(transcript(2, result), policy.begin(), Budget(), letters) for policy in (fields, cut)]
    one, other = (view for view in views if isinstance(view, View))
    said = f"tool_output_limit: a result of work {why}, so that it was cut as head_tail and not as json_fields"
    assert one.report.otherwise == (() if why is None else (said, said))
    assert other.report.otherwise == ()
    assert (one.messages == other.messages) == (why is not None)


def test_what_fits_is_not_told_and_a_later_rule_forgets_nothing() -> None:
    policy = build_policy("tool_output_limit:shape=json_fields,limit=100+offload:limit=90,preview=20")
    short = policy.step(transcript(1, "short"), policy.begin(), Budget(), letters)
    long = policy.step(transcript(1), policy.begin(), Budget(), letters)
    assert isinstance(short, View)
    assert isinstance(long, View)
    assert (short.report.otherwise, len(long.report.otherwise)) == ((), 1)
    assert [action.rule for action in long.report.actions] == ["tool_output_limit", "offload"]


@pytest.mark.parametrize("tools", KINDS)
@pytest.mark.parametrize("policy", ["observation_masking:keep_last=1,step=1", "clear_tool_uses:keep_last=1"])
def test_only_what_changes_nothing_is_offered_again(tools: tuple[ToolSpec, ...], policy: str) -> None:
    text = seen(policy, tools, transcript(8))
    assert "removed by the harness" in text
    assert ("call work again with the same arguments" in text) == (tools in ((READS,), (READS_IN_PARTS,)))
    assert ("do not make it again" in text) == (tools == (ACTS,))


@pytest.mark.parametrize(("tools", "line"), [((READS,), "- read work"), ((ACTS,), "- did work"), ((), "- tool work")])
@pytest.mark.parametrize("policy", ["extractive_ledger:keep_last=1", "context_reset:carry=ledger"])
def test_a_ledger_tells_what_was_read_from_what_was_done(tools: tuple[ToolSpec, ...], line: str, policy: str) -> None:
    text = seen(policy, tools, transcript(8))
    assert line in text
    assert "what was read can be read again, what was done stays done" in text


def test_a_scenarios_tool_reads_if_no_answer_of_it_changes_the_world() -> None:
    known = {
        name: {spec.name: spec.read_only for spec in bind(scenario, 0).tool_specs}
        for name in ("once-only", "can-be-read-again")
        for scenario in load_suite(f"scenarios/context/{name}.yaml").scenarios[:1]
    }
    assert known["once-only"]["draw_token"] is False, "drawn once"
    assert True in known["can-be-read-again"].values()
    assert known["can-be-read-again"]["ship"] is False


def test_summaries_that_free_too_little_are_not_asked_for_for_ever() -> None:
    policy = build_policy("summarize:trigger=300,target=200,min_reclaim=3000,limit=400,keep_last=1")
    state, asked, why = policy.begin(), 0, ""
    for results in range(2, 12):
        outcome = policy.step(transcript(results, "word " * 300), state, Budget(), letters)
        while isinstance(outcome, ModelRequest):
            asked += 1
            outcome = policy.resume(outcome.state, ModelReply("all was read " * 150, "stop"))
        state, why = outcome.state, " ".join(outcome.report.rejected)
    assert asked == 3
    assert "gave up" in why


def test_an_action_that_would_lengthen_the_prompt_says_so() -> None:
    policy = build_policy("head_tail:trigger=5,target=1,min_reclaim=1,keep_last=1,keep_first=0")
    view = policy.step(transcript(2, "ok"), policy.begin(), Budget(), letters)
    assert not isinstance(view, ModelRequest)
    assert "would make the prompt" in view.report.rejected[0]
    assert "tokens longer" in view.report.rejected[0]


def test_head_tail_keeps_a_call_where_the_last_turns_have_none() -> None:
    talk = [message for n in range(4) for message in (Message("assistant", f"so {n}"), Message("user", f"and {n}?"))]
    policy = build_policy("head_tail:trigger=300,target=200,min_reclaim=1,keep_last=2,keep_first=0")
    view = policy.step((*transcript(4), *talk), policy.begin(), Budget(), letters)
    assert not isinstance(view, ModelRequest)
    assert view.report.acted
    assert [call.id for message in view.messages for call in message.tool_calls] == ["c3"]
