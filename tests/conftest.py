"""What holds for every test: the same examples each time, a clean environment, no network beyond loopback."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

settings.register_profile("agenteval", derandomize=True, deadline=None)
settings.load_profile("agenteval")

SCRUBBED_PREFIXES = ("OPENAI_", "AGENTEVAL_")
SCRUBBED_NAMES = {"NO_COLOR", "FORCE_COLOR", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"}
NEAR_HOSTS = ("127.", "::1", "localhost", "0.0.0.0")


class Network:
    """Whether this test may leave the machine; only those marked `servers` may."""

    open = False


def _near(host: object) -> bool:
    """Loopback, any name that can never resolve (RFC 6761), or no host at all."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return not isinstance(host, str) or host == "" or host.startswith(NEAR_HOSTS) or host.endswith(".invalid")


def _keep_to_loopback(event: str, args: tuple[object, ...]) -> None:
    if Network.open or event not in ("socket.connect", "socket.getaddrinfo"):
        return
    host = args[0] if event == "socket.getaddrinfo" else args[1]
    if isinstance(host, tuple):
        host = host[0]
    if not _near(host):
        raise RuntimeError(f"a test reached for the network: {host!r}")


sys.addaudithook(_keep_to_loopback)


@pytest.fixture(autouse=True)
def clean_surroundings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell exports changes no test, but for those that it tells where a server is."""
    if request.node.get_closest_marker("servers"):
        monkeypatch.setattr(Network, "open", True)
        return
    for name in tuple(os.environ):
        if name.startswith(SCRUBBED_PREFIXES) or name.upper() in SCRUBBED_NAMES:
            monkeypatch.delenv(name)
