"""Messages for people: on stderr, with strangers' text made harmless."""

from __future__ import annotations

import click

from agenteval.visible import visible


def tell(text: str) -> None:
    """Say something on stderr."""
    click.echo(visible(text), err=True)
