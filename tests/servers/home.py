"""Where the servers live: `.servers/` beside the checkout, ignored by git. What was made is kept until its
recipe changes."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
HOME = CHECKOUT / ".servers"


def once(name: str, recipe: object, make: Callable[[], None]) -> None:
    """Make something, unless it was made before by the same recipe."""
    stamp = HOME / f"{name}.made"
    if stamp.exists() and stamp.read_text() == repr(recipe):
        return
    print(f"Making {name} in {HOME.name}/ (once) ...", flush=True)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(repr(recipe))


def was_made(name: str) -> bool:
    return (HOME / f"{name}.made").exists()


def run(*command: object, more_environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end. What it said is shown only if it fails, with a RuntimeError."""
    words = [str(part) for part in command]
    environment = {**os.environ, **(more_environment or {})}
    done = subprocess.run(words, check=False, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise RuntimeError(f"{' '.join(words[:3])} … ended with {done.returncode}")


def new_environment(name: str) -> Path:
    """The `bin` of a fresh virtual environment."""
    venv.create(HOME / name, with_pip=True, clear=True)
    return HOME / name / "bin"


def site_packages(name: str) -> Path:
    return next((HOME / name / "lib").glob("python3.*")) / "site-packages"
