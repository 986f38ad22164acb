"""Write a file that a person asked for and will change, never over one that is there."""

from __future__ import annotations

from pathlib import Path

from agenteval.errors import UsageError


def write_new(path: Path, text: str, option: str = "--out") -> None:
    """Write a text under a name that is free, making its folder if need be. `option`: says where. Raises
    UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.parent.is_dir():
            raise UsageError(f"{path} is already there and stays as it is; choose another name or {option}") from error
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another {option}") from error
