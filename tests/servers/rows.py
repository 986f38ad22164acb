"""Which deployments a test is run on."""

from __future__ import annotations

import pytest


def on(*names: str) -> pytest.MarkDecorator:
    """Run a test on each of these deployments (rows of `deployments.DEPLOYMENTS`)."""
    return pytest.mark.parametrize("served", names, indirect=True, scope="session")
