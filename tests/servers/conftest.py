"""One server at a time: tests that name the same deployment share it, and run one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers.deployments import DEPLOYMENTS
from tests.servers.started import Started, running
from tests.servers.table import TABLE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of servers that were not asked for are skipped, and say how to ask."""
    wanted = os.environ.get("SERVERS", "llamacpp").split()
    for item in items:
        call = getattr(item, "callspec", None)
        name = call.params.get("served") if call else None
        if name is None or item.get_closest_marker("servers") is None:
            continue
        deployment = DEPLOYMENTS[str(name)]
        if deployment.server not in wanted:
            item.add_marker(pytest.mark.skip(reason=f"not asked for: make test-servers SERVERS={deployment.server}"))
        elif not deployment.weights.exists():
            item.add_marker(pytest.mark.skip(reason=f"{deployment.weights.name} is not there: make test-servers"))


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Iterator[Started]:
    with running(DEPLOYMENTS[request.param]) as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of numbers per server, printed and kept."""
    if TABLE.grown:
        terminalreporter.section("real servers")
        for line in TABLE.keep():
            terminalreporter.write_line(line)
