"""`agenteval policies`."""

from __future__ import annotations

import sys
from dataclasses import fields

import click

from agenteval.context import POLICIES
from agenteval.context.spec import NOT_KNOBS
from agenteval.report.terminal import entry


@click.group(name="policies")
def command() -> None:
    """Context policies: what the model gets to see of the history."""


@command.command(name="list")
def list_policies() -> None:
    """Names, knobs with their defaults, and what each does."""
    for name, kind in POLICIES.items():
        knobs = ",".join(f"{item.name}={item.default}" for item in fields(kind) if item.name not in NOT_KNOBS)
        click.echo(entry(f"{name}{':' + knobs if knobs else ''}", _says(kind)))


def _says(kind: type) -> str:
    text = sys.modules[kind.__module__].__doc__ or ""
    return " ".join(text.split("\n\n")[0].split()).partition(": ")[2]
