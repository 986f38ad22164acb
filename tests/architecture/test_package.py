"""The package keeps the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.modules import DRIVERS, ROOT, House, house_of, modules_of
from tests.architecture.rules import RULES

PACKAGE = Path(__file__).parents[2] / "agenteval"


@pytest.fixture(scope="module")
def house() -> House:
    return house_of(PACKAGE)


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps(rule: str, house: House) -> None:
    complaints = [
        f"{module.file}:{line}: {what}"
        for module in house.values()
        for line, what in sorted(set(RULES[rule](module, house)))
    ]
    assert not complaints, "\n".join([rule.replace("_", " "), *complaints])


def test_drivers_stand_alone() -> None:
    """They run in an engine's Python, where agenteval is not."""
    drivers = [module for name, module in modules_of(PACKAGE).items() if name.startswith(DRIVERS)]
    assert drivers
    for module in drivers:
        assert not [found.target for found in module.imports if found.target.split(".")[0] == ROOT], module.name
