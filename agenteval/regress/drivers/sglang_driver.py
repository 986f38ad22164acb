"""SGLang's parsers behind JSON lines. Runs in SGLang's own Python (or one without torch), imports nothing of agenteval.

Texts go the way that SGLang's chat endpoint sends them: the reasoning parser first, what it leaves to the tool parser;
at the end both are drained, and arguments that were not streamed are sent. The protocol stands in `regress/pipes.py`.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import os
import sys
import time
import traceback
import types
from functools import partial

OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever the engine prints goes to stderr
os.environ.update({"HF_HUB_OFFLINE": "1", "SGLANG_USE_CPU_ENGINE": "1", "OMP_NUM_THREADS": "1"})


def without_kernels():
    """The package without its top level, which pulls in everything; stand-ins for what parsers only mention."""
    spec = importlib.util.find_spec("sglang")
    package = types.ModuleType("sglang")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["sglang"] = package
    missing = [name for name in ("IPython", "xgrammar") if importlib.util.find_spec(name) is None]
    sys.meta_path.append(StandIns(missing))


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for every module of packages that are missing."""

    def __init__(self, packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.packages:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


class StandIn(types.ModuleType):
    """A module that has every name: a trivial model."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        from pydantic import BaseModel

        return type(name, (BaseModel,), {"model_config": {"extra": "allow"}})


class Clock:
    """The CPU seconds of the parser itself, and when to stop."""

    def __init__(self, question):
        self.limit, self.seconds, self.stopped = question.get("clock"), 0.0, False

    def results(self, calls):
        """What the calls return, up to the limit."""
        found, began = [], time.process_time()
        for number, call in enumerate(calls, 1):
            found.append(call())
            if self.limit and number % 64 == 0 and time.process_time() - began > self.limit:
                self.stopped = True
                break
        self.seconds = time.process_time() - began
        return found


class Reply:
    """One reply on its way through both parsers."""

    def __init__(self, question, setting, *, streaming):
        self.tools = [Tool(**tool) for tool in question["tools"]]
        self.reasoning = None
        if setting["reasoning_parser"]:
            self.reasoning = ReasoningParser(
                setting["reasoning_parser"], streaming, thinks(question), **active(ReasoningParser)
            )
        self.calls = FunctionCallParser(self.tools, setting["tool_parser"]) if self.tools else None

    def whole(self, text):
        reasoning, calls = "", []
        if self.reasoning:
            reasoning, text = self.reasoning.parse_non_stream(text)
        if self.calls and self.calls.has_tool_call(text or ""):
            text, calls = self.calls.parse_non_stream(text)
        found = [{"name": call.name or "", "arguments": call.parameters} for call in calls]
        return {"reasoning": reasoning or "", "content": text or "", "calls": found}

    def feed(self, piece):
        """Reasoning, content and calls."""
        reasoning = None
        if self.reasoning:
            reasoning, piece = self.reasoning.parse_stream_chunk(piece)
        return reasoning, *self.pass_on(piece or "")

    def end(self):
        reasoning, rest = None, ""
        if self.reasoning and hasattr(self.reasoning, "parse_stream_end"):
            reasoning, rest = self.reasoning.parse_stream_end()
        deltas = lines(reasoning, *self.pass_on(rest or ""))
        if self.calls:
            if hasattr(self.calls, "parse_stream_end"):
                content, calls = self.calls.parse_stream_end()
                deltas += said("content", content) + called(calls)
            deltas += self.unstreamed()
        return deltas

    def pass_on(self, text):
        return self.calls.parse_stream_chunk(text) if self.calls else (text, [])

    def unstreamed(self):
        """What the last call's arguments still lack, as the server sends it when generation ends."""
        detector = self.calls.detector
        complete = getattr(detector, "prev_tool_call_arr", None) or []
        streamed = getattr(detector, "streamed_args_for_tool", None) or []
        last = len(complete) - 1
        if not 0 <= last < len(streamed):
            return []
        arguments = complete[last].get("arguments", {})
        wanted = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        if not wanted.startswith(streamed[last]) or wanted == streamed[last]:
            return []
        return [{"index": last, "name": None, "arguments": wanted[len(streamed[last]) :]}]


def thinks(question):
    """Whether the request asked for thinking: the template opened it, or the model does at once."""
    text = question["text"] if "text" in question else "".join(question["pieces"])
    return question["thinking"] or text.lstrip().startswith(("<think>", "[THINK]", "<|channel>thought"))


def lines(reasoning, content, calls):
    return said("reasoning", reasoning) + said("content", content) + called(calls)


def said(kind, text):
    return [{kind: text}] if text else []


def called(calls):
    return [{"index": call.tool_index, "name": call.name or None, "arguments": call.parameters or ""} for call in calls]


def active(parser):
    """The keyword by which newer versions learn that a tool parser follows."""
    import inspect

    names = inspect.signature(parser.__init__).parameters
    return {"tool_call_parser_active": True} if "tool_call_parser_active" in names else {}


def answer(question):
    setting = SETTINGS[question["family"]]
    if "text" in question:
        return {"message": Reply(question, setting, streaming=False).whole(question["text"])}
    reply, clock = Reply(question, setting, streaming=True), Clock(question)
    feeds = clock.results(partial(reply.feed, piece) for piece in question["pieces"])
    end = [] if clock.stopped else [reply.end()]
    return {"feeds": [*(lines(*feed) for feed in feeds), *end], "seconds": clock.seconds}


def there(setting):
    names = ReasoningParser.DetectorMap
    return setting["tool_parser"] in FunctionCallParser.ToolCallParserEnum and (
        not setting["reasoning_parser"] or setting["reasoning_parser"] in names
    )


without_kernels()
from sglang.srt.entrypoints.openai.protocol import Tool
from sglang.srt.function_call.function_call_parser import FunctionCallParser

try:
    from sglang.srt.parser.reasoning_parser import ReasoningParser
except ImportError:  # before 0.5.3
    from sglang.srt.reasoning_parser import ReasoningParser

SETTINGS = {}
for line in sys.stdin:
    question = json.loads(line)
    if "hello" in question:
        SETTINGS = question["hello"]["families"]
        known = [name for name, setting in SETTINGS.items() if there(setting)]
        said_back = {"version": f"sglang {importlib.metadata.version('sglang')}", "families": known}
    else:
        try:
            said_back = answer(question)
        except Exception:
            said_back = {"error": traceback.format_exc(limit=-4)}
    OUT.write(json.dumps({"id": question["id"], **said_back}) + "\n")
    OUT.flush()
