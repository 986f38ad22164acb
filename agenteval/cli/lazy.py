"""A command group whose commands are imported when they are called."""

from __future__ import annotations

import importlib
from difflib import get_close_matches
from typing import Any

import click


class LazyGroup(click.Group):
    """`table`: command → (module, one-line help); the module defines the command as `command`."""

    def __init__(self, *args: Any, table: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        command: click.Command = importlib.import_module(self.table[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.table:
            close = get_close_matches(name, self.table, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(self.table)}."
            raise click.UsageError(f"No command is called {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])
