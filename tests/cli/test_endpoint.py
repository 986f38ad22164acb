"""A server that is asked what it serves while it is still loading."""

from __future__ import annotations

import pytest

from agenteval.cli.endpoint import Endpoint, http_endpoint
from agenteval.cli.options import EndpointOptions
from agenteval.client import HttpTransport
from agenteval.clock import LoopClock, run_virtual
from agenteval.errors import EndpointError
from agenteval.wire import Exchange, HttpRequest, Limits, Receiver

MODELS = b'{"data": [{"id": "m", "owned_by": "vllm"}]}'
KEY = "very-secret-word-1"
LOADING = b'{"error": {"message": "Loading model for very-secret-word-1"}}'


class Loading(HttpTransport):
    """A server that is ready after so many seconds of virtual time."""

    def __init__(self, status: int, ready_s: float) -> None:
        super().__init__("http://h:80/v1", clock=LoopClock())
        self._status, self._ready_s = status, ready_s

    async def exchange(self, request: HttpRequest, receiver: Receiver, limits: Limits) -> Exchange:
        now = self.clock.now()
        ready = now / 1e9 >= self._ready_s
        status = 200 if ready else self._status
        receiver.head(status, (), now)
        receiver.data(MODELS if ready else LOADING, now)
        return Exchange(now, now, status)


def found(status: int, ready_s: float, patience_s: float = 300.0) -> Endpoint:
    options = EndpointOptions(
        base_url="http://h:80/v1",
        model=None,
        dialect="auto",
        family=None,
        profile=None,
        api_key=KEY,
        header=(),
        extra_body={},
        timeout=300.0,
        retries=4,
        insecure=False,
        preflight=True,
        patience=patience_s,
    )

    async def main() -> Endpoint:
        return await http_endpoint(options, Loading(status, ready_s))

    return run_virtual(main())


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_loading_is_waited_for_and_that_is_said_once(
    status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found(status, 100.0).model == "m"
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(
        f"Waiting up to 300 s for http://h/v1 to be ready (--patience): HTTP {status}: Loading model"
    )
    assert KEY not in told


@pytest.mark.parametrize("patience_s", [0.0, 50.0])
def test_a_server_that_stays_loading_is_said_not_to_be_ready(patience_s: float) -> None:
    with pytest.raises(
        EndpointError, match=r"seems not to be ready.* answers HTTP 503: Loading model for [^-]*; try again"
    ):
        found(503, 100.0, patience_s)


def test_a_server_without_a_list_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EndpointError, match="does not list its models"):
        found(404, 100.0)
    assert capsys.readouterr().err == ""
