"""The state of one cell while it is played: transcript, world, policy state, and what was right so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from agenteval.clock import cpu_seconds
from agenteval.context import ModelReply, ModelRequest, PolicyReport, View
from agenteval.dialects import Encoder, Sending, SentHistory
from agenteval.messages import Message, ToolCall, ToolSpec, Transcript, last_user_index
from agenteval.outcome import RecordedExpectation, RecordedFact, RecordedResult, Repair
from agenteval.run.ask import Answered, Question
from agenteval.run.desk import Desk
from agenteval.run.isolation import first_line
from agenteval.run.plan import Cell
from agenteval.run.prefix import Prefixes
from agenteval.scoring import Judgement, StepContext
from agenteval.scoring.facts import Watched, watched
from agenteval.scoring.needed import needed_texts
from agenteval.scoring.placing import right_values
from agenteval.scoring.shown import shown_text
from agenteval.script import Turn
from agenteval.stream import CallReply
from agenteval.tokens import Calibration
from agenteval.tools import GoldenTurn, World, beginning, execute, play

MAX_CALLS_EXECUTED = 64
TOO_MANY = f"Error: more than {MAX_CALLS_EXECUTED} tool calls at once; this one was not carried out."


@dataclass(frozen=True, slots=True)
class Heard:
    """What followed from a reply: the tools' results, and what had to be changed to keep it in the history."""

    results: tuple[RecordedResult, ...] = ()
    repairs: tuple[Repair, ...] = ()


class Conversation:
    """One cell in progress. The transcript only grows; with golden history each turn starts from what was expected."""

    def __init__(self, cell: Cell, desk: Desk) -> None:
        self.cell = cell
        self.desk = desk
        self.turn = 0
        self.world = World(cell.scenario.world)
        own = first_line(desk.run, cell.id) if desk.isolation == "line" else ""
        self.transcript: Transcript = beginning(cell.scenario, own)
        self._policy = desk.policy(cell.policy)
        self._policy_state = self._policy.begin()
        self._calibration = Calibration()
        self._sending = Sending()
        self._encoder = Encoder(desk.dialect)
        self._scale = desk.accountant.scale(cell.thinking)
        self._prefixes = Prefixes(desk.accountant.reuse(cell.thinking))
        self._policy_s = 0.0
        self._golden: tuple[GoldenTurn, ...] = play(cell.scenario) if desk.plan.history == "golden" else ()
        self._used_ids = {call.id for message in self.transcript for call in message.tool_calls}
        self._once_right: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._turn_start: tuple[Transcript, Any] = (self.transcript, self._policy_state)
        self._right_now: list[tuple[tuple[str, str], Any]] = []
        self._needed: tuple[str, ...] = ()
        self._facts: tuple[Watched, ...] = ()
        self.to_probe: Question | None = None

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return self.cell.scenario.tool_specs + self._policy.tools

    def begin_turn(self, number: int, turn: Turn) -> None:
        """The user speaks. Under golden history the turn before is first replaced by what was expected of it."""
        if self._golden and number > 1:
            self._go_golden(self._golden[number - 2])
        self._turn_start = (self.transcript, self._policy_state)
        self.turn = number
        self._say(Message("user", turn.user))
        for key, value in self._right_now:
            self._once_right[key] = (*self._once_right.get(key, ()), value)
        self._right_now = right_values(turn.expect.calls or ())
        self._needed = needed_texts(turn.expect)
        self._facts = watched(self.cell.scenario.facts, number, turn.expect)

    def _say(self, *messages: Message) -> None:
        self.transcript += messages

    def _go_golden(self, turn: GoldenTurn) -> None:
        """Forget how the last turn went, for the transcript, the world and the policy alike. What stays is what the
        model thought, step by step, since nobody can expect certain thoughts."""
        before, self._policy_state = self._turn_start
        thoughts = [m.reasoning for m in self.transcript[len(before) :] if m.role == "assistant"]
        self.transcript = (*before, turn.user, *_thought(turn.messages, thoughts))
        self.world = turn.world_after.copy()
        self._used_ids |= {call.id for message in turn.messages for call in message.tool_calls}

    def look(self) -> View | ModelRequest:
        """What the policy lets through now, or what it has to ask a model first."""
        budget, begun = replace(self.desk.budget, needed=self._needed, tools=self.tools), cpu_seconds()
        outcome = self._policy.step(self.transcript, self._policy_state, budget, self._estimate)
        self._policy_s = cpu_seconds() - begun
        return self._seen(outcome)

    def look_again(self, request: ModelRequest, reply: ModelReply) -> View | ModelRequest:
        """The same after a model has answered the policy."""
        begun = cpu_seconds()
        outcome = self._policy.resume(request.state, reply)
        self._policy_s += cpu_seconds() - begun
        return self._seen(outcome)

    def _seen(self, outcome: View | ModelRequest) -> View | ModelRequest:
        if isinstance(outcome, View):
            self._policy_state = outcome.state
        return outcome

    def question(self, view: View, turn: Turn, step: int) -> Question:
        """What to ask the model in this step, and what is expected."""
        calls = turn.expect.calls
        expected = None if calls is None else tuple(RecordedExpectation(call.name, call.arguments) for call in calls)
        asked = self._asked(view, self.tools, step, expected)
        reused = self._prefixes.asked(self.transcript, view.messages, asked.sent.messages, self.tools)
        spent = None if self.desk.simulated else self._policy_s * 1000  # simulated runs are the same every time
        asked = replace(asked, reused=reused, policy_ms=spent)
        self._keep_for_probe(asked)
        return asked

    def summary_question(self, request: ModelRequest, step: int) -> Question:
        """What a policy asks. Nothing is to be called; tools are offered only to keep the server's prefix cache."""
        report = PolicyReport(acted=True, policy=self._policy.name, note="asks for a summary")
        tools = self.tools if request.offers_tools else ()
        asked = self._asked(View(request.messages, request.state, report), tools, step, None)
        return replace(asked, purpose="summary", max_tokens=request.max_tokens)

    def _asked(
        self, view: View, tools: tuple[ToolSpec, ...], step: int, expected: tuple[RecordedExpectation, ...] | None
    ) -> Question:
        sent = self._sent(view.messages)
        size = self._scale.size(sent.messages, tools)
        estimate = size.estimate(self._calibration)
        return Question(self.cell, self.turn, step, view, tools, sent, self._encoder, size, estimate, expected)

    def _estimate(self, messages: Transcript) -> int:
        """What a policy counts with."""
        return self._scale.size(self._sent(messages).messages, self.tools).estimate(self._calibration)

    def _sent(self, messages: Transcript) -> SentHistory:
        return self._sending.history(messages, self.cell.thinking, self.desk.family)

    def context(self, question: Question, turn: Turn) -> StepContext:
        """What the reply to a question is judged by."""
        return StepContext(
            expect=turn.expect,
            offered=question.tools,
            view=question.view.messages,
            thinking=self.cell.thinking,
            thinking_switched=self.desk.thinking_switched,
            once_right=self._once_right,
            known_ids=self._used_ids,
            exempt=frozenset(tool.name for tool in self._policy.tools),
        )

    def watch(self, question: Question, judgement: Judgement) -> None:
        """Look at what a judged reply made of the facts that the turn needs."""
        shown = cache(partial(shown_text, question.view.messages, question.tools))
        self._facts = tuple(fact.after(judgement.calls, judgement.findings, shown) for fact in self._facts)

    def facts(self) -> tuple[RecordedFact, ...]:
        """What became of them, when the turn is over."""
        return tuple(fact.judged(self.last_text(), self.transcript) for fact in self._facts)

    def hear(self, question: Question, answered: Answered) -> Heard:
        """Append the reply to the transcript, carry out its calls on the world, append their results."""
        reply = answered.attempt.reply
        self._calibration = question.size.learnt(self._calibration, answered.record.tokens.prompt)
        calls, repairs = self._sendable_calls(reply.tool_calls)
        said = Message("assistant", reply.content, reply.reasoning, calls)
        self._prefixes.heard(said)
        results = [self._execute(call) for call in calls[:MAX_CALLS_EXECUTED]]
        results += [RecordedResult(call.id, call.name, TOO_MANY, is_error=True) for call in calls[MAX_CALLS_EXECUTED:]]
        answers = (Message("tool", item.content, tool_call_id=item.id, failed=item.is_error) for item in results)
        self._say(said, *answers)
        return Heard(tuple(results), tuple(repairs))

    def _keep_for_probe(self, question: Question) -> None:
        """Of a preserved cell the first question whose view holds reasoning of an earlier turn."""
        if self.to_probe is not None or self.cell.thinking != "preserved":
            return
        messages = question.view.messages
        if any(message.reasoning for message in messages[: max(last_user_index(messages), 0)]):
            self.to_probe = question

    def last_text(self) -> str:
        """The assistant's last words, empty if there were none."""
        last = self.transcript[-1]
        return (last.content or "") if last.role == "assistant" else ""

    def _execute(self, call: ToolCall) -> RecordedResult:
        if any(tool.name == call.name for tool in self._policy.tools):
            recalled = self._policy.recall(call, self.transcript, self._policy_state)
            return RecordedResult(call.id, call.name, recalled, is_error=False)
        result = execute(self.cell.scenario, self.world, call)
        return RecordedResult(call.id, call.name, result.content, result.is_error)

    def _sendable_calls(self, calls: tuple[CallReply, ...]) -> tuple[tuple[ToolCall, ...], list[Repair]]:
        """Calls with ids that are there and unique, as every server wants them in a history."""
        sendable: list[ToolCall] = []
        repairs: list[Repair] = []
        for call in calls:
            call_id = call.id
            if not call_id or call_id in self._used_ids:
                call_id = self._fresh_id()
                problem = "the call has no id" if not call.id else f"id {call.id!r} was used before"
                repairs.append(Repair(call.id or "", problem, call_id))
            self._used_ids.add(call_id)
            sendable.append(ToolCall(call_id, call.name or "", call.arguments_text))
        return tuple(sendable), repairs

    def _fresh_id(self) -> str:
        number = len(self._used_ids)
        while (call_id := f"call_{number:06}") in self._used_ids:
            number += 1
        return call_id


def _thought(messages: Transcript, thoughts: Sequence[str | None]) -> Transcript:
    """Messages whose n-th assistant message has the n-th thought."""
    left = iter(thoughts)
    return tuple(replace(m, reasoning=next(left, None)) if m.role == "assistant" else m for m in messages)
