"""`{$file: relative/path}` → the text of that file, from inside the suite only; `{$pad: …}` → neutral text.

Of the `${…}` in it, those that name a value of the scenario are filled in later; all others are the file's own.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field

from agenteval.document.reader import Document, Path
from agenteval.errors import Problem
from agenteval.scenario.padding import padding
from agenteval.script import Json
from agenteval.template import quoted

MAX_FILE = 1024 * 1024
MAX_TOTAL = 2 * 1024 * 1024


@dataclass(slots=True)
class Includes:
    """Fills the `$file`s and `$pad`s of one document; `paths` says where it did, `problems` where it could not. `room`:
    tokens that a size leaves to `$pad`.

    Names are relative to the document's file; symbolic links count as what they point to, and that must lie inside
    `root`.
    """

    document: Document
    folder: pathlib.Path
    root: pathlib.Path
    room: int | None = None
    paths: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    _left: int = MAX_TOTAL

    def filled(self) -> Json:
        """The document's value with every `$file` in place."""
        return self._fill(self.document.value, ())

    def _fill(self, value: Json, path: Path) -> Json:
        if isinstance(value, dict) and "$file" in value:
            return self._include(value, path)
        if isinstance(value, dict) and "$pad" in value:
            return self._pad(value, path)
        if isinstance(value, dict):
            return {key: self._fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, (*path, place)) for place, item in enumerate(value)]
        return value

    def _include(self, value: dict[str, Json], path: Path) -> str:
        name = value["$file"]
        try:
            text = self._text(name) if len(value) == 1 else None
        except _Refused as reason:
            self.problems.append(self.document.problem((*path, "$file"), str(reason)))
            return ""
        if text is None:
            self.problems.append(self.document.problem(path, "`$file` stands alone in its map"))
        self.paths.add(path)
        return text or ""

    def _pad(self, value: dict[str, Json], path: Path) -> str:
        try:
            if len(value) > 1:
                raise ValueError("`$pad` stands alone in its map")
            text = padding(value["$pad"]).text(self.room)
        except ValueError as reason:
            self.problems.append(self.document.problem((*path, "$pad"), str(reason)))
            return ""
        self._left -= len(text)
        if self._left < 0:
            self.problems.append(self.document.problem(path, f"included texts have more than {MAX_TOTAL:,} bytes"))
            return ""
        self.paths.add(path)
        return text

    def _text(self, name: Json) -> str:
        if not isinstance(name, str) or not name:
            raise _Refused("expected the relative path of a file")
        try:
            data = self._data(name)
        except (OSError, ValueError, RuntimeError) as error:  # no such name, a null character, a loop of links
            raise _Refused(f"{name!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        self._left -= len(data)
        if len(data) > MAX_FILE or self._left < 0:
            raise _Refused(f"{name!r} is too large: {MAX_FILE:,} bytes for a file, {MAX_TOTAL:,} for all of them")
        try:
            return quoted(data.decode("utf-8"), self._value_names())
        except UnicodeDecodeError as error:
            raise _Refused(f"{name!r} is not UTF-8 at byte {error.start}") from error

    def _value_names(self) -> frozenset[str]:
        values = self.document.value.get("values") if isinstance(self.document.value, dict) else None
        return frozenset(values) if isinstance(values, dict) else frozenset()

    def _data(self, name: str) -> bytes:
        target = (self.folder / name).resolve()
        if pathlib.PurePath(name).is_absolute() or not target.is_relative_to(self.root.resolve()):
            raise _Refused(f"{name!r} is outside the suite")
        if not target.is_file():
            raise _Refused(f"there is no file {name!r}")
        with target.open("rb") as file:
            return file.read(MAX_FILE + 1)


class _Refused(Exception):
    """Why a file is not included."""
