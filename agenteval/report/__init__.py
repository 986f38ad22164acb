"""One summary, four spellings: terminal, markdown, csv, json. The rows are the same in all of them."""

from __future__ import annotations

from collections.abc import Callable

from agenteval.report.machine import render_csv, render_json
from agenteval.report.markdown import render_markdown
from agenteval.report.terminal import render_terminal
from agenteval.summary import Summary

FORMATS: dict[str, Callable[[Summary], str]] = {
    "terminal": render_terminal,
    "md": render_markdown,
    "csv": render_csv,
    "json": render_json,
}

__all__ = ["FORMATS", "render_csv", "render_json", "render_markdown", "render_terminal"]
