"""The preflight: what it says of an endpoint with which nothing is wrong, and of servers that refuse tools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agenteval.clock import LoopClock, run_virtual
from agenteval.dialects import DIALECTS
from agenteval.errors import EndpointError
from agenteval.run import Asked, Preflight, preflight
from agenteval.simulator import PROFILES, Engine, SimulatedTransport
from agenteval.thinking import MODES, Thinking
from agenteval.wire import Exchange, HttpRequest, Limits, Receiver


def tried(asked: Asked) -> Preflight:
    return run_virtual(preflight(asked))


def simulated(name: str, **changes: Any) -> Asked:
    profile = PROFILES[name]
    transport = SimulatedTransport(Engine(profile, (), LoopClock()))
    asked = Asked(transport, DIALECTS[profile.dialect], profile.model, "on", profile.client_family)
    return replace(asked, **changes)


@pytest.mark.parametrize("thinking", MODES)
@pytest.mark.parametrize("name", PROFILES)
def test_of_our_own_endpoint_nothing_is_missing(name: str, thinking: Thinking) -> None:
    found = tried(simulated(name, thinking=thinking))
    uncounted = PROFILES[name].dialect == "openai"  # this spelling asks for no running counts
    assert ["no running token counts came" in text for text in found.missing] == [True] * uncounted
    assert found.streamed
    assert found.seconds is not None
    assert found.seconds > 0


def test_what_was_not_asked_for_is_not_claimed() -> None:
    found = tried(simulated("healthy", stream=False))
    assert (found.missing, found.streamed) == ((), False)


def refusing(status: int, words: str, dialect: str) -> Asked:
    """A server that answers every request with an error."""

    class Refusing:
        clock = LoopClock()
        asked = 0

        async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
            self.asked += 1
            assert self.asked == 1, "nothing changes by asking again"
            sent = self.clock.now()
            headers = (("content-type", "application/json"),)
            receiver.head(status, headers, sent)
            receiver.data(f'{{"error": {{"message": "{words}"}}}}'.encode(), sent)
            return Exchange(sent, self.clock.now(), status, headers=headers)

        async def aclose(self) -> None:
            pass

    return Asked(Refusing(), DIALECTS[dialect], "m", "on")


@pytest.mark.parametrize(
    ("status", "words", "dialect", "options"),
    [
        (500, "tools param requires --jinja flag", "llamacpp", ["--jinja"]),
        (400, "auto tool choice requires --enable-auto-tool-choice", "vllm", ["--tool-call-parser"]),
        (422, "Tools are not supported", "sglang", ["--tool-call-parser"]),
        (
            501,
            "no tools",
            "openai",
            ["vLLM: --enable-auto-tool-choice", "SGLang: --tool-call-parser", "llama.cpp: --"],
        ),
    ],
)
def test_a_server_that_takes_no_tools_is_told_its_option(
    status: int, words: str, dialect: str, options: list[str]
) -> None:
    with pytest.raises(EndpointError) as refused:
        tried(refusing(status, words, dialect))
    said = str(refused.value)
    assert "takes no tools" in said
    assert words in said
    assert all(option in said for option in options)


def test_a_server_that_asks_to_wait_at_the_take_off_is_heard_of() -> None:
    class Busy:
        clock = LoopClock()

        async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
            sent = self.clock.now()
            headers = (("retry-after", "3600"),)
            receiver.head(429, headers, sent)
            receiver.data(b"slow down", sent)
            return Exchange(sent, self.clock.now(), 429, headers=headers)

        async def aclose(self) -> None:
            pass

    said: list[str] = []
    with pytest.raises(EndpointError):
        tried(Asked(Busy(), DIALECTS["vllm"], "m", "on", say=said.append))
    wait = "The server asks to wait 3,600 s (HTTP 429: slow down): it is asked again in 30 s."
    assert said == [wait] * 4
