"""The audit: what a server streams against what its model wrote, by every way in which that can be known."""

from __future__ import annotations

import pytest

from agenteval.clock import run_virtual
from agenteval.dialects import DIALECTS
from agenteval.parsers import FAMILIES, ParsedCall, ParsedMessage
from agenteval.regress.audit import NOT_OBEYED, SAY, Audited, Auditor, Line, asked_lines, said_lines
from agenteval.regress.case import Case
from agenteval.regress.probes import PROBES
from agenteval.regress.record import cases
from tests.regress.endpoint import Endpoint, Told

RAW = "why</think><tool_call>read_file<arg_key>path</arg_key><arg_value>é.py</arg_value></tool_call>"
WRITTEN = RAW + "<|observation|>"
RIGHT = ParsedMessage("why", "", (ParsedCall("read_file", '{"path":"é.py"}'),))
LOST = ParsedMessage("why", "", ())
BYTES = tuple(bytes([byte]) for byte in WRITTEN.encode())
"""Every byte a token: `é` stands in two of them."""


def audited(endpoint: Endpoint, *lines: Line, dialect: str = "vllm") -> list[Audited]:
    auditor = Auditor(endpoint, DIALECTS[dialect], "m", FAMILIES["glm47"])

    async def heard() -> list[Audited]:
        return [it async for it in auditor.audit(lines or asked_lines(["on"], constrained=False)[:1])]

    return run_virtual(heard())


def test_a_right_parser_agrees_and_a_bad_one_is_found() -> None:
    (good,) = audited(Endpoint(RIGHT, Told(BYTES), len(BYTES)))
    (bad,) = audited(Endpoint(LOST, Told(BYTES), len(BYTES)))
    assert good.reply is not None
    assert good.reply.agrees == ""
    assert good.reply.reading.raw == RAW
    assert bad.reply is not None
    assert [field for field, _, _ in bad.reply.differences] == ["calls[0]"]
    (case,) = cases([bad.reply], "Found")
    assert (case.raw, case.expected, case.thinking) == (RAW, bad.reply.reading.expected, True)


def test_a_finish_reason_that_contradicts_the_calls_is_found() -> None:
    (one,) = audited(Endpoint(RIGHT, Told(BYTES), len(BYTES), finish="stop"))
    assert one.reply is not None
    assert one.reply.differences == (("finish_reason", "tool_calls", "stop"),)


def test_another_option_of_a_policy_is_no_difference() -> None:
    raw = "x</think><tool_call>nowhere</tool_call>"
    (one,) = audited(Endpoint(ParsedMessage("x"), Told([raw.encode()]), 1))
    assert one.reply is not None
    assert one.reply.agrees == "undeclared_tool=drop"


WAYS = {
    "logprobs": Told(BYTES),
    "token ids": Told(ids=range(len(BYTES)), pages={"/detokenize": {"prompt": WRITTEN}}),
    "unstreamed": Told(BYTES[:5], whole_logprobs=BYTES),
    "completions": Told(
        pages={
            "/tokenize": {"tokens": [1, 2]},
            "/v1/completions": {"choices": [{"text": RAW}], "usage": {"completion_tokens": len(BYTES)}},
        }
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_the_raw_text(way: str) -> None:
    (one,) = audited(Endpoint(RIGHT, WAYS[way], len(BYTES)))
    assert one.reply is not None, one.why
    assert (one.reply.source, one.reply.reading.raw, one.reply.agrees) == (way, RAW, "")


def test_a_text_with_other_tokens_is_another_reply() -> None:
    told = Told(pages={"/tokenize": {"tokens": [1]}, "/v1/completions": {"choices": [{"text": RAW}], "usage": {}}})
    (one,) = audited(Endpoint(RIGHT, told, len(BYTES)))
    assert one.reply is None
    assert one.why == "the server told neither logprobs nor token ids"


@pytest.mark.parametrize("pieces", [BYTES[:10], ["\ufffd".encode()] * len(BYTES), [b"\xff"] * len(BYTES)])
def test_raw_text_that_is_not_whole_is_none(pieces: list[bytes]) -> None:
    (one,) = audited(Endpoint(RIGHT, Told(pieces), len(BYTES)))
    assert one.reply is None


def test_a_server_is_made_to_say_a_case() -> None:
    case = Case("glm47", "one", "It broke.", ("vllm#1",), PROBES.tool_specs, RAW, RIGHT, thinking=True)
    (line,) = said_lines([case], ["off", "on"])
    endpoint = Endpoint(LOST, Told(BYTES, pages={"/tokenize": {"tokens": [7, 8]}}), len(BYTES))
    (one,) = audited(endpoint, line)
    assert endpoint.asked[-1][1]["vllm_xargs"] == {SAY: [7, 8]}
    assert one.reply is not None
    (saved,) = cases([one.reply], "Found")
    assert (saved.name, saved.guards, saved.raw) == ("one", ("vllm#1",), RAW)
    cut = Endpoint(ParsedMessage("why"), Told(BYTES[:3], pages={"/tokenize": {"tokens": [7, 8]}}), 3)
    (short,) = audited(cut, line)
    assert short.reply is not None
    assert (short.reply.case, short.reply.agrees) == (None, "")
    deaf = Endpoint(LOST, Told([b"I say what I want"], pages={"/tokenize": {"tokens": [7, 8]}}), 1)
    assert [it.why for it in audited(deaf, line)] == [NOT_OBEYED]


def test_constrained_schemas_admit_only_what_is_asked_for() -> None:
    line = next(line for line in asked_lines(["off"], constrained=True) if line.name.startswith("all types"))
    (tool,) = line.extra["tools"]
    assert tool["function"]["strict"]
    assert tool["function"]["parameters"]["properties"]["limit"] == {"type": "integer", "enum": [10]}
