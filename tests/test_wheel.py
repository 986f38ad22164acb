"""What a person installs: the wheel carries scenarios and vocabulary, and runs offline in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_bundled_file_is_in_the_wheel(installed: Path) -> None:
    places = {"scenarios": "scenarios", "agenteval/data": "data", "fixtures/parsers": "corpus"}
    for kind, place in places.items():
        inside = installed / "agenteval" / place
        wanted = {path.relative_to(ROOT / kind) for path in (ROOT / kind).rglob("*") if path.is_file()}
        assert wanted <= {path.relative_to(inside) for path in inside.rglob("*")}
    assert (installed / "agenteval" / "py.typed").is_file()


def test_an_installed_run_needs_no_checkout(installed: Path, tmp_path: Path) -> None:
    program = (
        "import agenteval, sys; print(agenteval.__file__, file=sys.stderr); from agenteval.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", "thinking-modes", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert str(installed) in done.stderr, "it is the wheel that ran"
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["turns_ok"] == 6
