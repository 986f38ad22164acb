"""The commented scenario that `agenteval scenario new` writes."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

from agenteval.errors import UsageError
from agenteval.scenario.locate import bundled_root
from agenteval.scenario.model import NAME

_FILE = "data/starter.yaml"
SCHEMA_FILE = "schema.json"
"""The JSON Schema of the format for editors, beside the bundled suites."""


def starter(name: str, folder: Path) -> str:
    """The text of a new scenario that will lie in a folder. Raises UsageError for a name that no scenario may have."""
    if not re.fullmatch(NAME, name):
        raise UsageError(f"{name!r} is no name for a scenario: small letters, digits and dashes, like ticket-desk")
    text = files("agenteval").joinpath(_FILE).read_text(encoding="utf-8")
    return text.replace("starter", name).replace(f"$schema={SCHEMA_FILE}", f"$schema={_schema_seen_from(folder)}")


def _schema_seen_from(folder: Path) -> str:
    """The way from a folder to the JSON Schema; on another drive of Windows there is no way but the whole one."""
    schema = bundled_root() / SCHEMA_FILE
    try:
        return Path(os.path.relpath(schema, folder.resolve())).as_posix()
    except ValueError:
        return schema.as_uri()
