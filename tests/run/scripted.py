"""An endpoint for tests of the loop: a function from request body to a reply, behind the transport seam, in virtual
time. And a small scenario that it can be asked about."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agenteval.clock import LoopClock, run_virtual
from agenteval.context import Budget, Policy, build_policy
from agenteval.dialects import DIALECTS
from agenteval.outcome import StepRecord
from agenteval.run import Accountant, Cell, CellEnd, Desk, Plan, run_cell
from agenteval.script import (
    Change,
    Defaults,
    Expectation,
    ExpectedAnswer,
    ExpectedCall,
    MockTool,
    Rule,
    Scenario,
    Turn,
)
from agenteval.thinking import Thinking
from agenteval.wire import Exchange, Fault, HttpRequest, Limits, Receiver, Recording, Transport
from tests.transcripts import CLOSE, READ

Body = dict[str, Any]


@dataclass(frozen=True)
class Says:
    """What the endpoint answers: text, reasoning, calls as (name, arguments text); or a status, or a fault, which comes
    before anything else or after so many frames."""

    text: str | None = None
    reasoning: str | None = None
    calls: Sequence[tuple[str, str]] = ()
    ids: Sequence[str | None] = ()
    finish: str | None = None
    status: int = 200
    fault: Fault | None = None
    breaks_after: int | None = None


@dataclass
class ScriptedTransport:
    """Answers with `answer(body)`; keeps the bodies that it received."""

    answer: Callable[[Body], Says]
    clock: LoopClock = field(default_factory=LoopClock)
    bodies: list[Body] = field(default_factory=list)

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        body = json.loads(request.body)
        self.bodies.append(body)
        says = self.answer(body)
        sent = self.clock.now()
        if says.fault is not None and says.breaks_after is None:
            return Exchange(sent, self.clock.now(), None, says.fault)
        headers = (("content-type", "text/event-stream" if says.status == 200 else "application/json"),)
        receiver.head(says.status, headers, self.clock.now())
        frames = _frames(says, len(self.bodies)) if says.status == 200 else [b'{"error": {"message": "no"}}']
        for frame in frames[: says.breaks_after]:
            await self.clock.sleep(0.1)
            receiver.data(frame, self.clock.now())
        return Exchange(sent, self.clock.now(), says.status, says.fault, headers=headers)

    async def aclose(self) -> None:
        pass


def _frames(says: Says, number: int) -> list[bytes]:
    deltas: list[Body] = [{"role": "assistant", "content": ""}]
    if says.reasoning:
        deltas.append({"reasoning": says.reasoning})
    if says.text:
        deltas.append({"content": says.text})
    for index, (name, arguments) in enumerate(says.calls):
        call_id = says.ids[index] if says.ids else f"call-{number}-{index}"
        function = {"name": name, "arguments": arguments}
        deltas.append({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})
    chunks: list[Body] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    finish = says.finish or ("tool_calls" if says.calls else "stop")
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 100 + number, "completion_tokens": 9}})
    return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


FILES = {"a.py": "alpha = 1", "b.py": "beta = 2"}

SCENARIO = Scenario(
    name="small",
    description="Two files are read, a ticket is closed.",
    tags=(),
    system="You are a coding agent.",
    tools=(
        MockTool(
            READ,
            (
                Rule(when={"path": {"$in": "${world.files}"}}, returns={"text": "${world.files[args.path]}"}),
                Rule(error="no such file: ${args.path}"),
            ),
        ),
        MockTool(CLOSE, (Rule(changes=(Change("set", "tickets[args.id]", "closed"),), returns={"status": "closed"}),)),
    ),
    turns=(
        Turn("Read a.py.", Expectation(calls=(ExpectedCall("read_file", {"path": "a.py"}),))),
        Turn(
            "Close T-7.",
            Expectation(
                calls=(ExpectedCall("close_ticket", {"id": "T-7"}),),
                state={"tickets[T-7]": "closed"},
                answer=ExpectedAnswer(contains=(("T-7",),)),
            ),
        ),
        Turn("Thanks.", Expectation(calls=())),
    ),
    world={"files": FILES, "tickets": {"T-7": "open"}},
    values={},
    defaults=Defaults(max_steps=3),
    source="small.yaml",
    hash="sha256:0",
)

UNKNOWN = Budget()

RIGHT_CALLS = {
    "Read a.py.": ("read_file", '{"path": "a.py"}'),
    "Close T-7.": ("close_ticket", '{"id": "T-7"}'),
}


def right(body: Body) -> Says:
    """The oracle of the small scenario; it thinks when it is asked to."""
    thinks = body.get("chat_template_kwargs", {}).get("enable_thinking", False)
    reasoning = "I look." if thinks else None
    last = body["messages"][-1]
    if last["role"] == "user" and last["content"] in RIGHT_CALLS:
        return Says(reasoning=reasoning, calls=[RIGHT_CALLS[last["content"]]])
    return Says("Done with T-7.", reasoning=reasoning)


@dataclass(frozen=True)
class Played:
    end: CellEnd
    records: list[StepRecord]
    bodies: list[Body]
    recordings: list[Recording]

    @property
    def agent(self) -> list[StepRecord]:
        return [record for record in self.records if record.purpose == "agent"]

    def kinds(self) -> list[list[str]]:
        return [[finding.kind for finding in record.findings] for record in self.agent]


def play(
    answer: Callable[[Body], Says],
    *,
    thinking: Thinking = "off",
    history: str = "live",
    policy: Policy | None = None,
    scenario: Scenario = SCENARIO,
    budget: Budget = UNKNOWN,
) -> Played:
    """Run one cell of the small scenario against a scripted endpoint."""
    transport = ScriptedTransport(answer)
    played = play_over(transport, thinking=thinking, history=history, policy=policy, scenario=scenario, budget=budget)
    return replace(played, bodies=transport.bodies)


def play_over(
    transport: Transport,
    *,
    thinking: Thinking = "off",
    history: str = "live",
    policy: Policy | None = None,
    scenario: Scenario = SCENARIO,
    **seams: Any,
) -> Played:
    """Run one cell of the small scenario over any transport; `seams` are fields of the desk that are another's."""
    records: list[StepRecord] = []
    recordings: list[Recording] = []

    def journal(record: StepRecord, recording: Recording | None) -> None:
        records.append(record)
        if recording is not None:
            recordings.append(recording)

    chosen = policy or build_policy("full_history")
    plan = Plan((scenario,), (thinking,), (chosen.name,), 1, 0, "golden" if history == "golden" else "live")
    desk = Desk(
        run="r",
        plan=plan,
        transport=transport,
        dialect=DIALECTS["vllm"],
        model="m",
        accountant=Accountant("glm47"),
        journal=journal,
        policy=lambda _: chosen,
        family="glm47",
    )
    cell = Cell(f"small.{thinking}.{chosen.name}.0", scenario, thinking, chosen.name, 0, 11)
    end = run_virtual(run_cell(cell, replace(desk, **seams)))
    return Played(end, records, [], recordings)
