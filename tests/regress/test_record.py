"""Recorded runs as cases, written as a corpus, in other words on request."""

from __future__ import annotations

import asyncio
import json
import string
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenteval.messages import ToolSpec
from agenteval.outcome import RecordedReply, Tokens
from agenteval.parsers import FAMILIES, ParsedCall, ParsedMessage
from agenteval.regress.anonymous import Disguise, disguised
from agenteval.regress.case import Case
from agenteval.regress.corpus import load_corpus
from agenteval.regress.rawtext import NoText, RawText, thinking_open, told_text
from agenteval.regress.reading import reading
from agenteval.regress.retelling import Recalling, Retelling
from agenteval.regress.subject import Question
from agenteval.regress.writing import corpus_text
from agenteval.stream import RawTokens, raw_tokens
from tests.records import record
from tests.regress.endpoint import Endpoint, Told

GLM = FAMILIES["glm47"]
READ = ToolSpec(
    "read_file",
    "Read a secret file.",
    {"type": "object", "properties": {"path": {"type": "string", "enum": ["secret"]}}, "required": ["path"]},
)
SECRET = (
    "Anna wants it</think>Dear Anna.<tool_call>read_file<arg_key>path</arg_key><arg_value>/home/anna/7031</arg_value>"
)
TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\n \t\x85\u2028\ufeff\\\"'#:-|>&*%@`")),
    max_size=40,
)


@given(raw=TEXTS, reasoning=TEXTS, content=TEXTS, arguments=TEXTS, thinking=st.booleans())
def test_a_written_case_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, raw: str, reasoning: str, content: str, arguments: str, thinking: bool
) -> None:
    said = ParsedMessage(reasoning, content, (ParsedCall("read_file", arguments),))
    tools = (READ, ToolSpec(raw or "x", content, {}))
    case = Case("glm47", "one", reasoning or "why", ("vllm#1",), tools, raw, said, thinking)
    again = Case("glm47", "two", "why", (), tools, raw, None, thinking, "undeclared_tool", {"drop": said})
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "cases.yaml").write_text(corpus_text("glm47", "Mine.", [case, again]), encoding="utf-8", newline="")
    found = load_corpus(folder)
    for wanted, read in zip((case, again), found, strict=True):
        assert read.tools == tools
        for name in ("name", "why", "guards", "raw", "expected", "thinking", "policy", "otherwise"):
            assert getattr(read, name) == getattr(wanted, name)


def completion(text: str, tokens: int) -> dict[str, Any]:
    return {"choices": [{"text": text}], "usage": {"completion_tokens": tokens}}


def words(text: str) -> set[str]:
    return {word for word in "".join(char if char.isalnum() else " " for char in text).split() if len(word) > 2}


def test_other_words_keep_the_shape_and_nothing_else() -> None:
    found = reading(GLM, Question((READ,), thinking=True), SECRET)
    other = disguised(found, Disguise(GLM, Random(0)))
    assert other is not None
    (tool,) = other.question.tools
    told = f"{other.raw} {tool.name} {tool.description} {tool.parameters}"
    for secret in ("Anna", "anna", "7031", "read", "secret", "Dear"):
        assert secret not in told
    assert len(other.raw) == len(SECRET)
    assert other.raw.count("<arg_key>") == 1
    (call,) = other.expected.calls
    assert call.name == tool.name
    assert tool.parameters["required"] == list(tool.parameters["properties"])
    assert other.expected.reasoning.split()[0] == other.expected.content.split()[1].rstrip(".")


def test_other_words_leave_numbers_numbers_and_escapes_escapes() -> None:
    other = Disguise(FAMILIES["hermes"], Random(0)).text('{"a": -12.50e+3, "b": "x\\ny", "c": true, "d": 0}')
    value = json.loads(other)
    assert len(value) == 4
    assert [type(item) for item in value.values()] == [float, str, bool, int]
    assert "\n" in next(item for item in value.values() if isinstance(item, str))


@given(st.text(st.sampled_from(string.printable + "é語"), max_size=60))
def test_other_words_for_a_text_are_the_same_each_time(text: str) -> None:
    disguise = Disguise(GLM, Random(1))
    assert disguise.text(text) == disguise.text(text)
    assert len(disguise.text(text).encode()) == len(text.encode())


def test_raw_tokens_of_a_stream_and_of_a_body_however_they_are_cut() -> None:
    entry = '{"token":"\\ufffd","bytes":[195]}'
    frame = f'data: {{"choices":[{{"index":0,"logprobs":{{"content":[{entry}]}},"token_ids":[4]}}]}}\n\n'.encode()
    for cut in range(len(frame)):
        raw = raw_tokens([frame[:cut], frame[cut:], b"data: nothing\n\ndata: [DONE]\n\n"])
        assert (raw.pieces, raw.ids) == ((b"\xc3",), (4,))
    assert raw_tokens([frame[6:]]).pieces == (b"\xc3",)


@pytest.mark.parametrize(
    "body", [b"", b"data: 1\n\n", b'{"choices":[{"logprobs":{"content":[{"bytes":[999]}]},"token_ids":["x"]}]}', b"{"]
)
def test_a_hostile_body_has_no_raw_tokens(body: bytes) -> None:
    assert raw_tokens([body]) == RawTokens()


def test_the_token_that_ended_a_reply_is_none_of_its_text() -> None:
    raw = RawTokens(pieces=(b"Hi", b"<|user|>"))
    assert told_text(raw, GLM, 2, ended=True) == RawText("Hi", "logprobs")
    assert told_text(raw, GLM, 2, ended=False) == RawText("Hi<|user|>", "logprobs")
    assert isinstance(told_text(raw, GLM, 9, ended=True), NoText)


@pytest.mark.parametrize(
    ("family", "raw", "opened"),
    [
        ("glm47", "no closer", True),
        ("harmony", "<|channel|>analysis<|message|>x", False),
        ("hermes", "<think>\nwhy\n</think>hi", False),
        ("hermes", "why\n</think>hi", True),
        ("glm45", "\n<think>cut", False),
    ],
)
def test_whether_a_prompt_ended_inside_reasoning(family: str, raw: str, opened: bool) -> None:
    assert thinking_open(FAMILIES[family], raw, asked=True, reasoned=True) is opened
    assert not thinking_open(FAMILIES[family], raw, asked=False, reasoned=True)


@pytest.mark.parametrize(
    ("raw", "pages", "source"),
    [
        (RawTokens(ids=(1, 2)), {"/detokenize": {"prompt": "Hi<|user|>"}}, "token ids"),
        (RawTokens(), {"/tokenize": {"tokens": [5]}, "/v1/completions": completion("Hi", 2)}, "completions"),
        (RawTokens(prompt_ids=(5,)), {"/v1/completions": completion("Hi", 2)}, "completions"),
        (RawTokens(prompt_ids=(5,)), {"/v1/completions": completion("Hello you", 3)}, None),
        (RawTokens(), {}, None),
    ],
)
def test_an_endpoint_is_asked_for_what_a_recording_lacks(
    raw: RawTokens, pages: dict[str, Any], source: str | None
) -> None:
    step = record(tokens=Tokens(completion=2), reply=RecordedReply(content="Hi", reasoning=None, finish_reason="stop"))
    with asyncio.Runner() as runner:
        retelling = Retelling(Endpoint(ParsedMessage(), Told(pages=pages)), "vllm", "m", GLM)
        found = Recalling(retelling, runner).find({"messages": [], "tools": []}, raw, step)
    assert (found.text, found.source) == ("Hi", source) if isinstance(found, RawText) else source is None
