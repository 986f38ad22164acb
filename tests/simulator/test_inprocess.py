"""The simulator behind the transport seam, in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agenteval.clock import NS_PER_S, LoopClock, run_virtual
from agenteval.dialects import recognise
from agenteval.simulator import Engine, SimulatedTransport
from agenteval.wire import Exchange, HttpRequest, Limits, Transport
from tests.simulator.asking import ask, body, engine, history


class Notes:
    """A receiver that writes down what it is given."""

    def __init__(self) -> None:
        self.heads: list[tuple[int, dict[str, str], int]] = []
        self.chunks: list[tuple[int, bytes]] = []

    def head(self, status: int, headers: tuple[tuple[str, str], ...], at: int) -> None:
        self.heads.append((status, dict(headers), at))

    def data(self, chunk: bytes, at: int) -> None:
        self.chunks.append((at, chunk))

    @property
    def body(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)


def exchange(request: HttpRequest, limits: Limits | None = None, of: Engine | None = None) -> tuple[Exchange, Notes]:
    notes = Notes()
    transport: Transport = SimulatedTransport(of or engine())

    async def main() -> Exchange:
        await LoopClock().sleep(100)
        done = await transport.exchange(request, notes, limits or Limits())
        await transport.aclose()
        return done

    return run_virtual(main()), notes


def chat(**fields: Any) -> HttpRequest:
    return HttpRequest("POST", "/v1/chat/completions", body=json.dumps(body(history(1), **fields)).encode())


def test_frames_are_stamped_when_they_are_due() -> None:
    done, notes = exchange(chat())
    told = ask(body(history(1)))
    assert (done.status, done.fault, done.reads) == (200, None, len(notes.chunks))
    assert notes.heads == [(200, {"content-type": "text/event-stream; charset=utf-8"}, done.sent_at)]
    assert notes.body == told.raw.replace(b'"created":1767225600', b'"created":1767225700')
    stamps = [(at - done.sent_at) / NS_PER_S for at, _ in notes.chunks]
    assert stamps[:-1] == pytest.approx(told.times)
    assert done.ended_at == notes.chunks[-1][0]


def test_two_requests_at_once_share_the_clock() -> None:
    transport = SimulatedTransport(engine())

    async def main() -> list[Exchange]:
        return list(await asyncio.gather(*(transport.exchange(chat(), Notes(), Limits()) for _ in range(2))))

    first, second = run_virtual(main())
    assert first.sent_at == second.sent_at == 0
    assert 1 < first.ended_at / NS_PER_S < 3


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        (HttpRequest("POST", "/v1/chat/completions", body=b"{"), 400, "the body is not JSON"),
        (HttpRequest("POST", "/v1/chat/completions", body=b"{}"), 400, "messages must be a list"),
        (chat(model="gpt-9"), 404, "the model 'gpt-9' does not exist"),
        (HttpRequest("POST", "/v1/completions"), 404, "there is no POST /v1/completions here"),
        (HttpRequest("GET", "/v1/chat/completions"), 404, "there is no GET"),
    ],
)
def test_errors_are_bodies_in_the_apis_spelling(request_: HttpRequest, status: int, says: str) -> None:
    done, notes = exchange(request_)
    error = json.loads(notes.body)["error"]
    assert (done.status, done.fault, error["code"]) == (status, None, status)
    assert error["message"].startswith(says)


def test_it_says_what_it_is() -> None:
    _, models = exchange(HttpRequest("GET", "/v1/models"))
    (model,) = json.loads(models.body)["data"]
    assert (model["id"], model["owned_by"]) == ("GLM-4.7-FP8", "agenteval-simulator")
    assert model["max_model_len"] == 131_072
    detection = recognise("/v1/models", json.loads(models.body))
    assert detection is not None
    assert detection.dialect == "sglang"
    _, info = exchange(HttpRequest("GET", "/get_server_info?verbose=1"))
    assert json.loads(info.body)["profile"] == "healthy"
    assert exchange(HttpRequest("GET", "/health"))[0].status == 200


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (Limits(first_frame_s=0.05), "timeout_first_frame"),
        (Limits(between_s=0.05), "timeout_between"),
        (Limits(total_s=0.8), "timeout_total"),
        (Limits(max_bytes=2_000), "too_large"),
    ],
)
def test_limits_hold_in_virtual_time(limits: Limits, kind: str) -> None:
    done, notes = exchange(chat(), limits)
    assert done.fault is not None
    assert done.fault.kind == kind
    assert (done.ended_at - done.sent_at) / NS_PER_S < 1
    assert len(notes.body) <= limits.max_bytes
