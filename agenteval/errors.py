"""The error tree.

    AgentevalError
    ├── UsageError         the user's mistake: one sentence, exit 2
    │   ├── FileError      … in a file: names file, line and key
    │   └── DivergedError  a recorded conversation does not go the way it went
    ├── EndpointError      infrastructure: unreachable, refused, unusable; exit 3
    ├── StorageError       the disk: full, gone, read-only; exit 3
    └── UnrenderableError  a message that a family's native format cannot express

Three kinds of trouble are kept apart. A *model's* mistake is a value (a finding, see `outcome`), never an
exception. A *user's* mistake is a `UsageError` whose text says what, where and what to do. A *bug* is any other
exception and ends in a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass


class AgentevalError(Exception):
    """Root of everything that agenteval raises on purpose."""


class UsageError(AgentevalError):
    """A mistake in an option, a name or a file; the text is shown as it is (exit 2)."""


class EndpointError(AgentevalError):
    """The endpoint cannot be used; the text is shown as it is (exit 3)."""


class DivergedError(UsageError):
    """A conversation that is taken up again from its recording cannot go as it went: it asks something else than it
    asked then, or what it was told is gone."""


class StorageError(AgentevalError):
    """A run cannot be written any further; the text is shown as it is (exit 3)."""


class UnrenderableError(AgentevalError):
    """A family's native format has no spelling for this message (e.g. a value that contains its own closer)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a user's file. Lines and columns count from 1; `key` is the dotted path inside the file."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class FileError(UsageError):
    """One or more mistakes in a user's file, all of them in `problems`."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
