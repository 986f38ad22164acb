"""A parser in a program of its own: questions and answers as JSON lines over its pipes.

Our first line is `{"id": 0, "hello": {"families": {NAME: {"special": […], …}}, "vocabulary": FOLDER}}`; the answer
`{"id": 0}` may name the `version` and the `families` that it can read. Then, one line each:

    {"id": 1, "family": "glm47", "thinking": false, "tools": […], "pieces": ["…", "…"]}      a stream
    {"id": 1, "feeds": [[DELTA, …], …, []]}        the deltas of each piece, and those of the end

    {"id": 2, "family": "glm47", "thinking": false, "tools": […], "text": "…"}               a whole text
    {"id": 2, "message": {"reasoning": "", "content": "Hi", "calls": [{"name": "f", "arguments": "{}"}]}}

A stream's question may hold `"clock": 6.0`: then feeds after so many CPU seconds may be left out, and the answer's
`seconds` are those of the parser itself.

A DELTA is `{"reasoning": "…"}`, `{"content": "…"}` or `{"index": 0, "name": "f", "arguments": "…"}`. A parser that
raises answers `{"id": 1, "error": "…"}`. What the program writes to stderr is shown when it dies. It is started when it
is first asked, killed when it does not answer in time, and started again for the next question.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from agenteval.errors import UsageError
from agenteval.messages import tool_object
from agenteval.parsers import (
    FAMILIES,
    CallDelta,
    ContentDelta,
    Delta,
    Family,
    ParsedCall,
    ParsedMessage,
    ReasoningDelta,
)
from agenteval.regress.subject import Question, Stream, SubjectError, Traits

MAX_LINE = 32 * 1024 * 1024
TAIL = 4096
"""Bytes of stderr that are kept."""
ENDS_WITHIN_S = 2.0
"""Seconds for a program that has closed its stdout to end, so that its exit code can be told."""
START_LIMIT_S = 300.0
"""Seconds for the first answer: engines take long to import."""


class DeltaLine(msgspec.Struct):
    reasoning: str | None = None
    content: str | None = None
    index: int | None = None
    name: str | None = None
    arguments: str | None = None


class CallLine(msgspec.Struct):
    name: str
    arguments: str


class MessageLine(msgspec.Struct):
    reasoning: str | None = None
    content: str | None = None
    calls: list[CallLine] = []


class AnswerLine(msgspec.Struct):
    id: int
    feeds: list[list[DeltaLine]] | None = None
    message: MessageLine | None = None
    error: str | None = None
    finish_reason: str | None = None
    seconds: float | None = None
    version: str | None = None
    families: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a program is told of a family: an engine's names for its parsers, and how prompts end (the model begins to
    answer; the template has opened its reasoning)."""

    tool_parser: str | None = None
    reasoning_parser: str | None = None
    prompt: str = ""
    prompt_thinking: str = ""


class Program:
    """A program that answers questions, one at a time. `vocabulary`: the folder of the o200k file; `limit_s`: for one
    answer."""

    def __init__(
        self, command: Sequence[str], settings: Mapping[str, Setting], vocabulary: str, limit_s: float
    ) -> None:
        self.command = tuple(command)
        self._settings = settings
        self._limit_s = limit_s
        self._vocabulary = vocabulary
        self._runner = asyncio.Runner()
        self._process: asyncio.subprocess.Process | None = None
        self._tail = bytearray()
        self._reading: asyncio.Task[None] | None = None
        self._last_id = 0
        self._hello: AnswerLine | None = None

    def hello(self) -> AnswerLine:
        """What the program says of itself. Raises UsageError if it does not start."""
        if self._hello is None:
            try:
                self._runner.run(self._started())
            except SubjectError as error:
                raise UsageError(f"{self.command[0]} gives no answer to the first line.\n{error.detail}") from error
        assert self._hello is not None
        return self._hello

    def ask(self, question: dict[str, Any]) -> AnswerLine:
        """Raises SubjectError if there is no answer."""
        return self._runner.run(self._ask(question))

    def close(self) -> None:
        self._runner.run(self._end())
        self._runner.close()

    async def _ask(self, question: dict[str, Any]) -> AnswerLine:
        await self._started()
        answer = await self._exchange(question, self._limit_s)
        if answer.error is not None:
            raise SubjectError("raised", answer.error)
        return answer

    async def _started(self) -> None:
        if self._process is not None:
            return
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE,
                start_new_session=True,
            )
        except OSError as error:
            raise UsageError(f"cannot start {self.command[0]}: {error.strerror}") from error
        self._tail.clear()
        self._reading = asyncio.create_task(self._read_stderr(self._process))
        families = {
            name: {"special": FAMILIES[name].special, **asdict(setting)} for name, setting in self._settings.items()
        }
        self._last_id = -1
        hello = {"families": families, "vocabulary": self._vocabulary}
        self._hello = await self._exchange({"hello": hello}, START_LIMIT_S)

    async def _exchange(self, question: dict[str, Any], limit_s: float) -> AnswerLine:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        self._last_id += 1
        line = msgspec.json.encode({"id": self._last_id, **question}) + b"\n"
        try:
            async with asyncio.timeout(limit_s):
                process.stdin.write(line)
                await process.stdin.drain()
                answer = await process.stdout.readline()
        except TimeoutError as error:
            raise await self._lost("hung", f"no answer within {limit_s:g} s") from error
        except ConnectionError as error:
            raise await self._lost("crashed", f"the program ended{await _how_it_ended(process)}") from error
        except (OSError, ValueError) as error:  # a line beyond the limit
            raise await self._lost("crashed", str(error)) from error
        if not answer.endswith(b"\n"):
            raise await self._lost("crashed", f"the program ended{await _how_it_ended(process)}")
        return await self._understood(answer)

    async def _understood(self, line: bytes) -> AnswerLine:
        try:
            answer = msgspec.json.decode(line, type=AnswerLine)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = line[:200].decode("utf-8", "replace")
            raise await self._lost("crashed", f"not an answer of the protocol ({error}): {said}") from error
        if answer.id != self._last_id:
            raise await self._lost("crashed", f"an answer to question {answer.id}, not to {self._last_id}")
        return answer

    async def _lost(self, kind: str, detail: str) -> SubjectError:
        await self._end()
        stderr = self._tail.decode("utf-8", "replace").strip()
        return SubjectError(kind, f"{detail}\n{stderr}".strip())

    async def _end(self) -> None:
        """Kill the program and its children, and read what it still had to say."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if self._reading is not None:
            await self._reading

    async def _read_stderr(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while block := await process.stderr.read(TAIL):
            self._tail += block
            del self._tail[:-TAIL]


async def _how_it_ended(process: asyncio.subprocess.Process) -> str:
    """Its exit code or signal; nothing if it has only closed its stdout."""
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            code = await process.wait()
    except TimeoutError:
        return " its answers"
    return f" by {signal.Signals(-code).name}" if code < 0 else f" with exit code {code}"


@dataclass(frozen=True, slots=True)
class Piped:
    """A family as a program reads it."""

    name: str
    family: Family
    program: Program
    traits: Traits

    @property
    def version(self) -> str | None:
        return self.program.hello().version

    def whole(self, question: Question, text: str) -> ParsedMessage:
        answer = self.program.ask({**self._about(question), "text": text})
        if answer.message is None:
            raise SubjectError("crashed", "the answer to a whole text has no `message`")
        calls = tuple(ParsedCall(call.name, call.arguments) for call in answer.message.calls)
        return ParsedMessage(answer.message.reasoning or "", answer.message.content or "", calls)

    def stream(self, question: Question, pieces: Sequence[str]) -> Stream:
        answer = self.program.ask({**self._about(question), "pieces": pieces})
        if answer.feeds is None or len(answer.feeds) != len(pieces) + 1:
            raise SubjectError("crashed", f"the answer to {len(pieces)} pieces needs {len(pieces) + 1} `feeds`")
        return Stream(tuple(tuple(map(delta_of, feed)) for feed in answer.feeds), answer.finish_reason)

    def timed(self, question: Question, pieces: Sequence[str], limit_s: float) -> tuple[Stream, float]:
        """As much of a stream as its parser reads in so many CPU seconds, and how many it took."""
        answer = self.program.ask({**self._about(question), "pieces": pieces, "clock": limit_s})
        if answer.feeds is None or answer.seconds is None:
            raise SubjectError("crashed", "the answer to a stream under the clock needs `feeds` and `seconds`")
        return Stream(tuple(tuple(map(delta_of, feed)) for feed in answer.feeds)), answer.seconds

    def _about(self, question: Question) -> dict[str, Any]:
        return {
            "family": self.family.name,
            "thinking": question.thinking,
            "tools": [tool_object(tool) for tool in question.tools],
        }


def delta_of(line: DeltaLine) -> Delta:
    if line.index is not None:
        return CallDelta(line.index, line.name, line.arguments or "")
    if line.reasoning is not None:
        return ReasoningDelta(line.reasoning)
    return ContentDelta(line.content or "")
