"""The policy seam: summaries are asked for and journalled, a policy's own tools are answered by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agenteval.context import Budget, Count, ModelReply, ModelRequest, PolicyReport, View, build_policy
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript
from tests.run.scripted import Body, Says, play, right

RECALL = ToolSpec("recall", "Get back what was put away.", {"type": "object", "properties": {}})


@dataclass(frozen=True)
class Summarising:
    """From the second turn on, everything before the newest user message is a summary by the model."""

    name: str = "summarising"
    tools: tuple[ToolSpec, ...] = (RECALL,)

    def begin(self) -> Any:
        return None

    def step(self, transcript: Transcript, state: Any, budget: Budget, count: Count) -> View | ModelRequest:
        users = [index for index, message in enumerate(transcript) if message.role == "user"]
        if len(users) == 1:
            return View(transcript, state, PolicyReport(acted=False, policy=self.name))
        kept = transcript[users[-1] :]
        asked = (*transcript[: users[-1]], Message("user", "Summarise."))
        return ModelRequest(asked, 50, (transcript[0], kept))

    def resume(self, state: Any, reply: ModelReply) -> View | ModelRequest:
        head, kept = state
        goal = Message("user", f"Summary: {reply.content}")
        return View((head, goal, *kept), None, PolicyReport(acted=True, policy=self.name))

    def recall(self, call: ToolCall, transcript: Transcript, state: Any) -> str:
        return f"{len(transcript)} messages were kept"


@dataclass(frozen=True)
class Told(Summarising):
    """Keeps what it was told of the endpoint."""

    budgets: list[Budget] = field(default_factory=list)
    seen: list[Transcript] = field(default_factory=list)

    def step(self, transcript: Transcript, state: Any, budget: Budget, count: Count) -> View:
        self.budgets.append(budget)
        self.seen.append(transcript)
        return View(transcript, state, PolicyReport(acted=False, policy=self.name))


def test_a_policy_is_told_what_the_endpoint_allows() -> None:
    policy = Told()
    play(right, policy=policy, budget=Budget(window=8192))
    assert {budget.window for budget in policy.budgets} == {8192}
    assert {budget.needed for budget in policy.budgets} == {("a.py",), ("T-7",), ()}, "turn by turn, for the oracle"


def test_a_policy_is_told_which_results_failed() -> None:
    """As the scenario says it: the text of this one does not read like an error."""
    pending = [Says(calls=[("read_file", '{"path": "c.py"}'), ("read_file", '{"path": "b.py"}')])]
    policy = Told()
    play(lambda body: pending.pop() if pending else right(body), policy=policy)
    results = {m.content: m.failed for m in policy.seen[-1] if m.role == "tool"}
    assert results["no such file: c.py"]
    assert [text for text, failed in results.items() if failed] == ["no such file: c.py"]


def with_summaries(body: Body) -> Says:
    if body["messages"][-1]["content"] == "Summarise.":
        return Says("All is well.")
    return right(body)


def test_summaries_are_asked_for_without_tools_and_journalled() -> None:
    played = play(with_summaries, policy=Summarising())
    summaries = [record for record in played.records if record.purpose == "summary"]
    assert len(summaries) == 3, "two steps of turn 2 and one of turn 3"
    assert all(record.id.endswith(".summary") for record in summaries)
    bodies = [played.bodies[played.records.index(record)] for record in summaries]
    assert all("tools" not in body and body["max_tokens"] == 50 for body in bodies)
    assert all(not findings for findings in played.kinds()), "the agent's steps are judged as ever"


def test_views_hold_what_the_policy_made_of_the_summary() -> None:
    played = play(with_summaries, policy=Summarising())
    last = played.bodies[-1]["messages"]
    assert [message["content"] for message in last] == ["You are a coding agent.", "Summary: All is well.", "Thanks."]


def test_a_policys_own_tool_is_answered_by_it_and_exempt() -> None:
    pending = [Says(calls=[("recall", "{}")])]
    played = play(lambda body: pending.pop() if pending else with_summaries(body), policy=Summarising())
    first = played.records[0]
    assert first.findings == ()
    assert first.tool_results[0].content == "2 messages were kept"
    assert "recall" in [tool["function"]["name"] for tool in played.bodies[0]["tools"]]


def test_golden_history_and_a_sliding_window_go_together() -> None:
    """The window's boundary never outlives the messages that it was chosen on."""
    chatty = Says(calls=[("read_file", '{"path": "a.py"}')] * 6)
    pending = [chatty, chatty]

    def answer(body: Body) -> Says:
        return pending.pop() if pending else right(body)

    for window in (
        "sliding_window:trigger=120,target=90,min_reclaim=1",
        "sliding_window:trigger=500,target=450,min_reclaim=1",
    ):
        pending[:] = [chatty, chatty]
        for body in play(answer, history="golden", policy=build_policy(window)).bodies:
            roles = [message["role"] for message in body["messages"]]
            assert roles[:2] == ["system", "user"]
            called: set[str] = set()
            for message in body["messages"]:
                called |= {call["id"] for call in message.get("tool_calls", ())}
                assert message["role"] != "tool" or message["tool_call_id"] in called
