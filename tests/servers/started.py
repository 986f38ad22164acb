"""One server process with all its children: started on loopback, waited for, killed, started again, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.servers.deployments import Deployment
from tests.servers.home import HOME

KEY = "only-a-test-server"
MAX_SECONDS = 5400
"""A started server ends by itself after so long, whatever becomes of the test."""
READY_WITHIN_S = 900
PORT_FREE_WITHIN_S = 90
PORT_IS_HELD = b"couldn't bind HTTP server socket"
"""What llama-server says of it; the others take the port."""
FIRST_PORT, LAST_PORT = 23_000, 23_999


class Started:
    """A running server. Only the process group that was started here is ever signalled."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.port = _free_port()
        self.log = HOME / "logs" / f"{deployment.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it is ready; again where the port is still held by connections of a server that was
        killed. RuntimeError with the log's place if that does not come."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + PORT_FREE_WITHIN_S
        while True:
            began = self.log.stat().st_size if self.log.exists() else 0
            try:
                self._start()
                return
            except RuntimeError:
                if PORT_IS_HELD not in self.log.read_bytes()[began:] or time.monotonic() > until:
                    raise
                time.sleep(1)

    def _start(self) -> None:
        command = ["timeout", str(MAX_SECONDS), *self.deployment.command(self.port, KEY)]
        surroundings = {**os.environ, **self.deployment.surroundings()}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=surroundings, start_new_session=True
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def end(self) -> None:
        """Ask it to end; kill what is left of the group after that."""
        if self._process is not None:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group, at once."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait(30)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def get(self, path: str, timeout_s: float = 20) -> str:
        """The body of a GET with the key. OSError when there is none."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            body: bytes = answer.read()
        return body.decode()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            if process.poll() is not None:
                raise RuntimeError(f"{self.deployment.name} ended with {process.returncode}; see {self.log}")
            try:
                self.get("/health")
                return
            except OSError:
                time.sleep(0.25)
        raise RuntimeError(f"{self.deployment.name} was not ready after {READY_WITHIN_S} s; see {self.log}")


@contextmanager
def running(deployment: Deployment) -> Iterator[Started]:
    server = Started(deployment)
    try:
        server.start()
        yield server
    finally:
        server.end()


def _free_port() -> int:
    """Each process looks from another port on: llama-server takes one that another server has just taken."""
    ports = range(FIRST_PORT, LAST_PORT + 1)
    first = os.getpid() * 17 % len(ports)
    port: int
    for port in (*ports[first:], *ports[:first]):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port from {FIRST_PORT} to {LAST_PORT} is free")
