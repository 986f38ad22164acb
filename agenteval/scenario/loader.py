"""A suite's name or path → its scenarios, or everything that is wrong with its files."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agenteval.document.complaints import complaints, did_you_mean
from agenteval.document.reader import MAX_BYTES, Document, Path, read
from agenteval.errors import FileError, Problem, UsageError
from agenteval.scenario import build
from agenteval.scenario.includes import Includes
from agenteval.scenario.locate import Location, locate
from agenteval.scenario.model import ScenarioFile, SuiteFile
from agenteval.scenario.padding import Size, sizes_of
from agenteval.script import Json, Scenario, Suite

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario and the document that it came from; `included` are the paths that `$file`s and `$pad`s filled, `size`
    the tokens that its prompt should reach."""

    scenario: Scenario
    document: Document
    included: frozenset[Path]
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What could be loaded, and what is wrong with the rest."""

    suite: Suite
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]


def load_suite(name_or_path: str) -> Suite:
    """A folder, a file or a bundled name. Raises FileError with all problems, UsageError if there is nothing."""
    loaded = load(name_or_path)
    if loaded.problems:
        raise FileError(loaded.problems)
    return loaded.suite


def load(name_or_path: str) -> Loaded:
    """The same, with the problems as values. Raises UsageError if there is nothing of that name."""
    loading = _Loading(locate(name_or_path))
    loading.load()
    return loading.loaded()


class _Loading:
    """One suite on its way, collecting problems."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._problems: list[Problem] = []
        self._sources: list[Source] = []
        self._suite = SuiteFile()
        self._suite_document: Document | None = None

    def load(self) -> None:
        if self._location.suite:
            self._load_suite_file(self._location.suite)
        for path in self._location.scenarios:
            self._load_scenario(path)
        self._check_names()

    def loaded(self) -> Loaded:
        if self._location.only is not None and not self._problems:
            names = [source.scenario.name for source in self._sources]
            self._sources = [source for source in self._sources if source.scenario.name == self._location.only]
            if not self._sources:
                raise UsageError(
                    f"there is no scenario {self._location.only!r}; of that file there are {', '.join(names)}"
                )
        places = {name: place for place, name in enumerate(self._suite.order)}
        self._sources.sort(key=lambda source: places.get(source.scenario.name, len(places)))
        name = (None if self._location.single else self._suite.name) or self._location.name
        suite = Suite(name, tuple(source.scenario for source in self._sources), tuple(self._suite.policies))
        return Loaded(suite, tuple(self._sources), tuple(self._problems))

    def _load_suite_file(self, path: pathlib.Path) -> None:
        document = self._read(path)
        checked = document and self._checked(document, document.value, SuiteFile)
        if checked:
            self._suite, self._suite_document = checked, document

    def _load_scenario(self, path: pathlib.Path) -> None:
        document = self._read(path)
        if not document:
            return
        for size in sizes_of(document.value):
            if not self._load_sized(path, document, size):
                return

    def _load_sized(self, path: pathlib.Path, document: Document, size: Size | None) -> bool:
        """A scenario in one of its sizes; whether nothing is wrong with it."""
        includes = Includes(document, path.parent, self._location.root, size.room if size else None)
        content = includes.filled()
        self._problems += includes.problems
        file = self._checked(document, content, ScenarioFile)
        if not file or includes.problems:
            return False
        if size is not None:
            file, content = size.named(file), {**content, "name": f"{file.name}-{size.label}"}
        scenario = build.scenario(file, content, str(path), self._suite.defaults)
        self._sources.append(Source(scenario, document, frozenset(includes.paths), size.tokens if size else None))
        return True

    def _read(self, path: pathlib.Path) -> Document | None:
        try:
            with path.open("rb") as file:
                return read(file.read(MAX_BYTES + 1), str(path))
        except FileError as error:
            self._problems += error.problems
        except OSError as error:
            self._problems.append(Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}"))
        return None

    def _checked(self, document: Document, content: Json, model: type[M]) -> M | None:
        if not isinstance(content, dict):
            self._problems.append(document.problem((), "expected a map of keys like `schema`, `name`, `turns`"))
            return None
        try:
            return model.model_validate(content)
        except ValidationError as error:
            self._problems += complaints(document, error, model)
            return None

    def _check_names(self) -> None:
        first: dict[str, Source] = {}
        for source in self._sources:
            other = first.setdefault(source.scenario.name, source)
            if other is not source:
                message = f"{source.scenario.name!r} is also the name in {other.document.file}; names are unique"
                self._problems.append(source.document.problem(("name",), message))
        self._check_order(sorted(first))

    def _check_order(self, names: list[str]) -> None:
        if not self._suite_document or self._problems or self._location.single:
            return
        for place, name in enumerate(self._suite.order):
            if name not in names:
                message = f"there is no scenario {name!r} in this suite{did_you_mean(name, names)}"
                self._problems.append(self._suite_document.problem(("order", place), message))
