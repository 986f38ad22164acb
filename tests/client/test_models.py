"""Small JSON requests: the list of models, and what servers say of themselves."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agenteval.client import MODELS_PATH, Fetched, ask_json, fetch_json, model_names
from agenteval.wire import Fault
from tests.client.scripted import Scripted


def answering(value: Any, status: int = 200) -> Scripted:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Scripted([(1, data[:3]), (2, data[3:])], status=status, headers=())


def test_models_are_named_in_the_servers_order() -> None:
    listed = {"object": "list", "data": [{"id": "b"}, {"id": "a", "max_model_len": 8192}, {"id": 7}, {"id": ""}, "x"]}
    assert model_names(listed) == ("b", "a")


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"data": None}, {"data": {}}, {"data": 7}])
def test_an_answer_that_lists_no_models_names_none(answer: Any) -> None:
    assert model_names(answer) == ()


def test_a_path_is_asked_for() -> None:
    transport = answering({"data": []})
    assert asyncio.run(fetch_json(transport, MODELS_PATH)) == Fetched(200, {"data": []})
    (request,) = transport.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1/models", b"")


@pytest.mark.parametrize(
    ("transport", "reason"),
    [
        (answering({"error": {"message": "who are you"}}, 401), "HTTP 401: who are you"),
        (answering(b"Internal Server Error", 500), "HTTP 500: Internal Server Error"),
        (answering(b"<html>"), "HTTP 200 with a body that is no JSON"),
        (Scripted(status=None, fault=Fault("refused", "nothing listens on box:1")), "nothing listens on box:1"),
    ],
)
def test_an_answer_that_is_of_no_use_says_why(transport: Scripted, reason: str) -> None:
    fetched = asyncio.run(fetch_json(transport, MODELS_PATH))
    assert (fetched.value, fetched.error) == (None, reason)


def test_a_body_is_posted() -> None:
    transport = answering({"count": 3})
    assert asyncio.run(fetch_json(transport, "/tokenize", {"prompt": "é"})) == Fetched(200, {"count": 3})
    (request,) = transport.requests
    assert (request.method, request.path, request.body) == ("POST", "/tokenize", '{"prompt":"é"}'.encode())


def test_asking_what_is_not_there_answers_nothing() -> None:
    assert asyncio.run(ask_json(answering({"version": "1"}), "/version")) == {"version": "1"}
    assert asyncio.run(ask_json(answering({"detail": "Not Found"}, 404), "/version")) is None
    assert asyncio.run(ask_json(Scripted(fault=Fault("cut", "x")), "/version")) is None
