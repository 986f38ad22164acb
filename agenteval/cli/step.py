"""One step of a run, whole: what the model saw, what it said, what was found, and a curl that asks again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from agenteval.errors import UsageError
from agenteval.outcome import StepRecord
from agenteval.store import StoredRun, StoredStep, read_frames
from agenteval.visible import visible

SERVED = "http://127.0.0.1:8080/v1"
"""Where `agenteval serve` listens unless told otherwise; a simulated step is asked again there."""


def step_text(stored: StoredRun, wanted: str) -> str:
    """The step in plain text. Raises UsageError that names steps worth looking at."""
    record = _record(stored, wanted)
    kept = read_frames(stored.path, record.cell).get(record.id)
    lines = [*_head(record), *_request(kept), *_reply(record), *_findings(record), *_curl(stored, kept)]
    return visible("\n".join(lines)) + "\n"


def _record(stored: StoredRun, wanted: str) -> StepRecord:
    found = next((record for record in stored.records if record.id == wanted), None)
    if found is not None:
        return found
    failing = [record.id for record in stored.records if not record.ok][:8] or [r.id for r in stored.records[:8]]
    raise UsageError(f"no step is called {wanted!r} in this run; for instance there are:\n  " + "\n  ".join(failing))


def _head(record: StepRecord) -> Iterator[str]:
    timing, tokens = record.timing, record.tokens
    yield f"step {record.id}" + ("  (simulated)" if record.simulated else "")
    ttft = "–" if timing is None or timing.ttft_ms is None else f"{timing.ttft_ms:.0f} ms"
    yield f"context {tokens.context} tokens ({tokens.context_source}), completion {tokens.completion}, TTFT {ttft}"
    refused = timing.refused if timing else {}
    yield from (f"no {metric}: {refused[metric]}" for metric in ("ttft_ms", "decode_tok_s") if metric in refused)


def _request(kept: StoredStep | None) -> Iterator[str]:
    yield ""
    if kept is None or kept.request is None:
        yield "The request was not kept."
        return
    yield "What the model saw"
    for message in kept.request.get("messages", []):
        yield f"[{message.get('role')}] {message.get('content') or ''}"
        for field in ("reasoning_content", "reasoning"):
            if message.get(field):
                yield f"    (thought: {message[field]})"
        for call in message.get("tool_calls", []):
            function = call.get("function", {})
            yield f"    -> {function.get('name')}({function.get('arguments')})"
    names = [tool.get("function", {}).get("name") for tool in kept.request.get("tools", [])]
    yield f"[tools] {', '.join(map(str, names)) or 'none'}"


def _reply(record: StepRecord) -> Iterator[str]:
    yield ""
    yield "What it said"
    reply = record.reply
    if record.error is not None:
        yield f"nothing that can be judged: {record.error.detail}"
    if reply is None:
        return
    if reply.reasoning:
        yield f"(thought: {reply.reasoning})"
    yield f"{reply.content or '(no text)'}"
    for call in reply.tool_calls:
        yield f"-> {call.name}({call.arguments_text})"
    yield f"finish_reason {reply.finish_reason}"
    for result in record.tool_results:
        yield f"<- {result.name}{' (error)' if result.is_error else ''}: {result.content}"


def _findings(record: StepRecord) -> Iterator[str]:
    yield ""
    yield "What was found"
    for expected in record.expected or ():
        yield f"expected in this turn: {expected.name}({json.dumps(expected.arguments, ensure_ascii=False)})"
    if not record.findings:
        yield "nothing: the step is right" if record.judged else "not judged"
    for finding in record.findings:
        place = f" at {finding.path}" if finding.path else ""
        yield f"- {finding.kind}{place}: {finding.detail}"


def _curl(stored: StoredRun, kept: StoredStep | None) -> Iterator[str]:
    if kept is None or kept.request is None:
        return
    options, base_url = stored.manifest.options, stored.manifest.endpoint.get("base_url")
    headers = [name for name in options.get("header", ()) if isinstance(name, str)]
    hints = [] if base_url else ["start `agenteval serve` first"]
    hints += [f"put your value for each <…>: {', '.join(headers)}"] if headers else []
    yield ""
    yield "Ask again" + (f" ({'; '.join(hints)})" if hints else "")
    insecure = " -k" if options.get("insecure") else ""
    key = ' -H "Authorization: Bearer $OPENAI_API_KEY"' if options.get("api_key") else ""
    more = "".join(f" -H {shlex.quote(f'{name}: <{name}>')}" for name in headers)
    url = shlex.quote(f"{base_url or SERVED}/chat/completions")
    yield f"curl -sSN{insecure} {url} -H 'Content-Type: application/json'{key}{more} --data-binary @- <<'END_OF_BODY'"
    yield _spelled(kept.request)
    yield "END_OF_BODY"


def _spelled(body: dict[str, Any]) -> str:
    """JSON on one line, which cannot be the closing word of a here-document. What must not reach a terminal is written
    as JSON escapes, so that it is still the same body."""
    return "".join(map(_escaped, json.dumps(body, ensure_ascii=False)))


def _escaped(character: str) -> str:
    lone = "\ud800" <= character <= "\udfff"
    return f"\\u{ord(character):04x}" if lone or visible(character) != character else character
