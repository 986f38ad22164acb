"""What a user calls a suite → the files that it consists of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agenteval.document.complaints import did_you_mean
from agenteval.errors import UsageError

SUITE_FILE = "suite.yaml"

ALL = "all"
"""Stands for every bundled suite, where no file or folder is called so."""


SIZED = re.compile(r"(.{1,4000})(-[0-9]{1,3}k)")
"""A scenario in one of its sizes, or the path of one without its extension."""


@dataclass(frozen=True, slots=True)
class Location:
    """A suite's files. `root` is the folder that its `$file`s may not leave; `only`: the one scenario that is meant,
    of a file that has several sizes."""

    name: str
    root: Path
    scenarios: tuple[Path, ...]
    suite: Path | None = None
    single: bool = False
    only: str | None = None


def bundled_root() -> Path:
    """Where the bundled suites are: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "scenarios"
    return installed if installed.is_dir() else package.parent / "scenarios"


def bundled_names() -> list[str]:
    """The names of the bundled suites."""
    root = bundled_root()
    folders = root.iterdir() if root.is_dir() else ()
    return sorted(folder.name for folder in folders if folder.is_dir() and _scenario_files(folder))


def expanded(names: Sequence[str]) -> tuple[str, ...]:
    """What is called `all` as the bundled suites; each name once."""
    whole = bundled_names()
    found = (part for name in names for part in (whole if name == ALL and not Path(ALL).exists() else (name,)))
    return tuple(dict.fromkeys(found))


def locate(name: str) -> Location:
    """The files of a folder, a file, a bundled suite (`founding`), a bundled scenario (`ten-turn-repo`), or one size of
    a scenario (`length-4k`)."""
    try:
        path = next((path for path in _candidates(name) if path.exists()), None)
        if path is None and (sized := SIZED.fullmatch(name)):
            places = [Path(f"{sized[1]}.yaml"), *_candidates(sized[1])]
            path = next((path for path in places if path.is_file()), None)
            if path is not None:
                return replace(_file(path), name=name, only=path.stem + sized[2])
        if path is None:
            raise UsageError(_unknown(name))
        return _folder(path) if path.is_dir() else _file(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name!r}: {getattr(error, 'strerror', None) or error}") from error


def _candidates(name: str) -> list[Path]:
    root = bundled_root()
    bundled = [root / name, root / f"{name}.yaml", *(root / suite / f"{name}.yaml" for suite in bundled_names())]
    inside = [path for path in bundled if path.resolve().is_relative_to(root)]
    return [Path(name), *inside] if name else []


def _file(path: Path) -> Location:
    return Location(path.stem, _root_of(path), (path,), _suite_file(path.parent), single=True)


def _folder(path: Path) -> Location:
    files = _scenario_files(path)
    if not files:
        raise UsageError(f"{path} holds no scenarios (*.yaml); the bundled suites are {', '.join(bundled_names())}")
    return Location(path.resolve().name, _root_of(path / SUITE_FILE), files, _suite_file(path))


def _scenario_files(folder: Path) -> tuple[Path, ...]:
    files = (path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    return tuple(sorted(path for path in files if path.name != SUITE_FILE and not path.name.startswith(".")))


def _suite_file(folder: Path) -> Path | None:
    path = folder / SUITE_FILE
    return path if path.is_file() else None


def _root_of(file: Path) -> Path:
    """The suite's own folder; for a bundled suite the root of all of them."""
    bundled = bundled_root()
    folder = file.parent.resolve()
    return bundled if folder.is_relative_to(bundled) else folder


def _unknown(name: str) -> str:
    names = bundled_names()
    scenarios = [path.stem for suite in names for path in _scenario_files(bundled_root() / suite)]
    return (
        f"there is no suite {name!r}: no such file or folder, and the bundled suites are {', '.join(names) or 'none'} "
        f"({ALL}: every one of them; a scenario's name will do, too, see `agenteval scenario list`)"
        f"{did_you_mean(name, [*names, *scenarios])}"
    )
