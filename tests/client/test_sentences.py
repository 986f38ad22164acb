"""What a server says stands in sentences of ours on one line, without control characters and without keys."""

from __future__ import annotations

import json

import pytest

from agenteval.client.address import address_of
from agenteval.client.chat import http_error
from agenteval.client.faults import MAX_QUOTED, quoted, redirect_fault
from tests.client.scripted import Scripted
from tests.client.test_chat import JSON, attempt
from tests.stream.frames import event

HOSTILE = "no\x1b[31m\r\nline2\x07 (key sk-abcdefghijklmnop and Bearer\nSECRETSECRET99)"
QUOTED = "no\\x1b[31m line2\\x07 (key sk-… and Bearer …)"


def test_an_error_in_a_stream_is_quoted_as_one_in_a_refusal_is() -> None:
    refusal = json.dumps({"error": {"message": HOSTILE}}).encode()
    failure = attempt(Scripted([(1, event({"error": {"message": HOSTILE}}))])).failure
    assert failure is not None
    assert (failure.kind, failure.detail) == ("error_in_stream", QUOTED)
    assert http_error(refusal) == QUOTED


def test_a_body_that_is_no_completion_is_quoted() -> None:
    failure = attempt(Scripted([(1, json.dumps({"object": "x", "text": HOSTILE}).encode())], headers=JSON)).failure
    assert failure is not None
    assert "abcdefgh" not in failure.detail
    assert "\n" not in failure.detail


def test_long_words_are_cut() -> None:
    assert len(quoted("long " * 100_000)) == MAX_QUOTED


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://elsewhere/v1", "to http://elsewhere/v1; give that address as the base URL"),
        ("http://elsewhere/v1/models/", "to http://elsewhere/v1/models/; give http://elsewhere/v1 as the base URL"),
        ("/api/v1/chat/completions", "box:1/api/v1/chat/completions; give http://box:1/api/v1 as the base URL"),
        ("//other/v2/models", "to http://other/v2/models; give http://other/v2 as the base URL"),
        ("/v1/models/", "to http://box:1/v1/models/; that is the same base URL; let the server answer there"),
        ("HTTP://box:1/v1/", "that is the same base URL; let the server answer there"),
        ("javascript:alert(1)", "to an address that is not of HTTP; give the right base URL"),
        ("http://me:pa55word@else/v1?api_key=sk-topsecretvalue1#s", "to http://else/v1; give that address"),
        ("http://me:pa55word@[else/v1", "to an address that cannot be read"),
        ("/v1/\x07\r\nsk-topsecretvalue1", "box:1/v1/"),
    ],
)
def test_where_a_redirect_leads(location: str, words: str) -> None:
    said = redirect_fault(307, location, address_of("http://box:1")).detail
    assert words in said
    assert said.startswith("box:1 redirects (307) to ")
    assert not [hidden for hidden in ("pa55word", "topsecret", "\n", "\x07") if hidden in said]
