"""Messages for people: on stderr, with strangers' text made harmless."""

from __future__ import annotations

import os
import sys

import click

from agenteval.visible import visible


def tell(text: str) -> None:
    """Say something on stderr."""
    click.echo(visible(text), err=True)


def coloured() -> bool:
    """Whether stdout is a terminal that wants colour (see no-color.org)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
