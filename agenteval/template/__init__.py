"""Paths into JSON values (`paths`), and the `${…}` placeholders that are made of them (`placeholders`).

Whatever cannot be done is a `TemplateProblem` in words, never another exception; nothing here evaluates anything.
"""

from __future__ import annotations

from agenteval.template.paths import (
    MissingPath,
    Path,
    Reference,
    TemplateProblem,
    delete_path,
    get_path,
    parse_path,
    set_path,
)
from agenteval.template.placeholders import Placeholder, as_text, malformed, placeholders, quoted, substitute

__all__ = [
    "MissingPath",
    "Path",
    "Placeholder",
    "Reference",
    "TemplateProblem",
    "as_text",
    "delete_path",
    "get_path",
    "malformed",
    "parse_path",
    "placeholders",
    "quoted",
    "set_path",
    "substitute",
]
