"""A recorded run → cases of the corpus: what the model wrote where the server told it, and what our parser reads in it.

Each reply is compared with what the server's own parser made of it. Replies whose raw text was not told are named with
the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from agenteval.messages import ToolSpec
from agenteval.outcome import RecordedReply, StepRecord
from agenteval.parsers import Family, ParsedCall, ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.diff import fields
from agenteval.regress.rawtext import NoText, RawText, thinking_open, told_text
from agenteval.regress.reading import Reading, reading
from agenteval.regress.subject import Question
from agenteval.store import StoredRun, StoredStep, read_frames
from agenteval.stream import RawTokens, raw_tokens

CUT = "length"
"""The finish reason of a reply that the model did not end itself."""

NOT_KEPT = "the reply was not kept"
NOTHING_CAME = "the request failed"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One reply. `step`: which one; `source`: how its raw text was had; `said`, `finish_reason`: what the server
    made of it; `case`: the one whose whole text it says, if the server was told to."""

    step: str
    source: str
    reading: Reading
    said: ParsedMessage
    finish_reason: str | None
    case: Case | None = None

    @property
    def agrees(self) -> str | None:
        """As `Reading.option_of`; a finish reason that contradicts the server's own calls agrees with nothing."""
        return self.reading.option_of(self.said) if self._fitting == self.finish_reason else None

    @property
    def differences(self) -> tuple[tuple[str, str, str], ...]:
        """Field, ours, the server's; none where they agree."""
        found = list(fields(self.reading.expected, self.said, exact=False)) if self._misread else []
        if self._fitting != self.finish_reason:
            found.append(("finish_reason", str(self._fitting), str(self.finish_reason)))
        return tuple(found)

    @property
    def policy(self) -> str | None:
        """The policy that the text asks about, as far as that is known."""
        return self.case.policy if self.case else next((policy for policy, _ in self.reading.otherwise), None)

    @property
    def _misread(self) -> bool:
        return self.reading.option_of(self.said) is None

    @property
    def _fitting(self) -> str | None:
        """The finish reason that goes with the server's own calls."""
        ends = {"stop", "tool_calls"}
        return ("tool_calls" if self.said.calls else "stop") if self.finish_reason in ends else self.finish_reason


@dataclass(frozen=True, slots=True)
class Record:
    """`replies`: those that became known in their raw text; `left`: why others did not → how many; `repeated`: replies
    that say what an earlier one did, word for word."""

    replies: tuple[Recorded, ...]
    left: Mapping[str, int]
    repeated: int = 0


class Words(Protocol):
    """Somebody who finds a reply's raw text where the recording does not hold it."""

    def find(self, request: Mapping[str, Any], raw: RawTokens, record: StepRecord) -> RawText | str:
        """The text, or in words why there is none."""
        ...


def record_run(stored: StoredRun, family: Family, words: Words | None = None) -> Record:
    """All replies of a run. `words`: asked where the recording does not hold a raw text, if anybody can be."""
    found: dict[tuple[Any, ...], Recorded] = {}
    left: Counter[str] = Counter()
    replies = 0
    for record, step in _steps(stored):
        one = _recorded(record, step, family, words)
        if isinstance(one, str):
            left[one] += 1
            continue
        replies += 1
        found.setdefault((one.reading.raw, one.reading.question.thinking, one.said, one.finish_reason), one)
    return Record(tuple(found.values()), dict(left), replies - len(found))


def _steps(stored: StoredRun) -> Iterator[tuple[StepRecord, StoredStep | None]]:
    cells = dict.fromkeys(record.cell for record in stored.records)
    for cell in cells:
        frames = read_frames(stored.path, cell)
        yield from ((record, frames.get(record.id)) for record in stored.records if record.cell == cell)


def _recorded(record: StepRecord, step: StoredStep | None, family: Family, words: Words | None) -> Recorded | str:
    if record.reply is None or record.error is not None:
        return NOTHING_CAME
    if step is None or step.request is None:
        return NOT_KEPT
    raw = raw_tokens(chunk for _, chunk in step.recording.chunks)
    ended = record.reply.finish_reason != CUT
    text: RawText | NoText | str = told_text(raw, family, record.tokens.completion, ended=ended)
    if isinstance(text, NoText):
        text = text.why if words is None else words.find(step.request, raw, record)
    if isinstance(text, str):
        return text
    said = said_by(record.reply)
    thinking = thinking_open(family, text.text, asked=record.thinking != "off", reasoned=bool(said.reasoning))
    found = reading(family, Question(tools_of(step.request), thinking), text.text)
    return Recorded(record.id, text.source, found, said, record.reply.finish_reason)


def said_by(reply: RecordedReply) -> ParsedMessage:
    """What the server's parser made of a reply."""
    calls = tuple(ParsedCall(call.name or "", call.arguments_text) for call in reply.tool_calls)
    return ParsedMessage(reply.reasoning or "", reply.content or "", calls)


def tools_of(request: Mapping[str, Any]) -> tuple[ToolSpec, ...]:
    """The tools that a request offered."""
    functions = [tool.get("function") or {} for tool in request.get("tools") or ()]
    return tuple(
        ToolSpec(str(one.get("name")), str(one.get("description") or ""), one.get("parameters") or {})
        for one in functions
    )


def cases(replies: Sequence[Recorded], about: str) -> list[Case]:
    """The replies as cases; `about`: where they come from, for their `why`."""
    made: list[Case] = []
    for recorded in replies:
        why = f"{about}; {told(recorded)}"
        case = recorded.reading.case(_free(_name(recorded.step), made), why)
        if recorded.case is not None:
            case = replace(recorded.case, why=f"{recorded.case.why} {why}.")
        made.append(case)
    return made


def told(recorded: Recorded) -> str:
    """How the server's parser agrees with ours, in words that repeat nothing of the reply."""
    if recorded.agrees is None:
        question = f" (an open question: {recorded.policy})" if recorded.policy else ""
        return f"its parser read another {', another '.join(_kinds(recorded.differences))}{question}"
    if recorded.agrees:
        return f"its parser chose {recorded.agrees}"
    return "its parser read the same"


def _kinds(differences: Sequence[tuple[str, str, str]]) -> list[str]:
    return list(dict.fromkeys(field.partition("[")[0].removesuffix("s") for field, _, _ in differences))


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:70] or "reply"


def _free(name: str, made: Sequence[Case]) -> str:
    taken = {case.name for case in made}
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))) if one not in taken)
