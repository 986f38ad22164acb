"""An engine's incremental parsers under the clock: `engine_parsers.py vllm|sglang`, in the engine's own Python.

Reads one task as JSON per line: the names of both parsers, the special strings, the tools, the pieces of a stream, and
the CPU seconds after which to stop. Answers with the characters fed, the CPU seconds that took, and the characters of
arguments that came out. Imports nothing of agenteval.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever the engine prints goes to stderr
os.environ.update({"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "SGLANG_USE_CPU_ENGINE": "1"})
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

Feeds = Iterator[Callable[[], int]]
"""For each piece what feeds it, and says how many characters of arguments came out; made before the clock starts."""


def vllm(task: dict[str, Any]) -> Feeds:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.parser import ParserManager

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in task["special"]])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner)
    kind = ParserManager.get_parser(
        tool_parser_name=task["tool_parser"], reasoning_parser_name=task["reasoning_parser"], enable_auto_tools=True
    )
    arguments = {"enable_thinking": False, "thinking": False}
    request = ChatCompletionRequest(
        model="m",
        messages=[{"role": "user", "content": "Hi"}],
        tools=task["tools"],
        tool_choice="auto",
        chat_template_kwargs=arguments,
    )
    parser = kind(tokenizer, request.tools, chat_template_kwargs=arguments)
    first = tokenizer.encode(task["prompt"], add_special_tokens=False)
    for number, piece in enumerate(task["pieces"]):
        ids = tokenizer.encode(piece, add_special_tokens=False)

        def feed(piece: str = piece, ids: list[int] = ids, prompt: Any = None if number else first) -> int:
            delta = parser.parse_delta(piece, ids, request, prompt, finished=False)
            return sum(len(call.function.arguments or "") for call in (delta and delta.tool_calls) or ())

        yield feed


def sglang(task: dict[str, Any]) -> Feeds:
    spec = None if "sglang" in sys.modules else importlib.util.find_spec("sglang")
    if spec and spec.submodule_search_locations:
        package = types.ModuleType("sglang")  # without its top level, which pulls in the kernels
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["sglang"] = package
    from sglang.srt.entrypoints.openai.protocol import Tool
    from sglang.srt.function_call.function_call_parser import FunctionCallParser
    from sglang.srt.parser.reasoning_parser import ReasoningParser

    thoughts = ReasoningParser(task["reasoning_parser"], True, False) if task["reasoning_parser"] else None
    calls = FunctionCallParser([Tool(**tool) for tool in task["tools"]], task["tool_parser"])

    def feed(piece: str) -> int:
        rest = thoughts.parse_stream_chunk(piece)[1] if thoughts else piece
        found = calls.parse_stream_chunk(rest)[1] if rest else ()
        return sum(len(call.parameters or "") for call in found)

    for piece in task["pieces"]:
        yield partial(feed, piece)


ENGINES = {"vllm": vllm, "sglang": sglang}


def measured(feeds: Feeds, pieces: list[str], limit_s: float) -> dict[str, float]:
    ready = list(feeds)
    fed = said = 0
    began = time.process_time()
    for number, feed in enumerate(ready):
        said += feed()
        fed += len(pieces[number])
        if number % 64 == 0 and time.process_time() - began > limit_s:
            break
    return {"fed": fed, "said": said, "seconds": time.process_time() - began}


for line in sys.stdin:
    task = json.loads(line)
    try:
        answer: dict[str, Any] = measured(ENGINES[sys.argv[1]](task), task["pieces"], task["limit_s"])
    except Exception as error:  # noqa: BLE001  the engine's own, told to whoever asked
        answer = {"error": f"{type(error).__name__}: {error}"}
    OUT.write(json.dumps(answer) + "\n")
    OUT.flush()
