"""When a rule acts: `3000` (tokens), `7turns`, `5tool_uses`, `on_error`, `always`, or any of them: `3000/on_error`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agenteval.errors import UsageError

_PART = re.compile(r"([0-9]{1,9})(tokens|turns|tool_uses)?")


@dataclass(frozen=True, slots=True)
class Trigger:
    """Fires above any of the numbers: tokens of the rendered prompt, user turns or uncleared tool results in the view.
    `on_error`: when one of the newest results is an error."""

    tokens: int | None = None
    turns: int | None = None
    tool_uses: int | None = None
    on_error: bool = False
    always: bool = False

    def __str__(self) -> str:
        parts = [str(self.tokens)] if self.tokens is not None else []
        parts += [f"{value}{name}" for name, value in (("turns", self.turns), ("tool_uses", self.tool_uses)) if value]
        return "/".join([*parts, *(name for name in ("on_error", "always") if getattr(self, name))])


ALWAYS = Trigger(always=True)
AT_3000 = Trigger(tokens=3000)
"""The field's defaults (half a window, 100,000 tokens) never fire where small contexts fail."""


def read_trigger(text: str) -> Trigger:
    """Raises UsageError that says what can be written."""
    found: dict[str, int | bool] = {}
    for part in text.split("/"):
        number = _PART.fullmatch(part)
        if part in ("on_error", "always"):
            found[part] = True
        elif number is not None and int(number[1]) > 0:
            found[number[2] or "tokens"] = int(number[1])
        else:
            raise UsageError(
                f"{part[:40]!r} is no trigger: write 3000 (tokens), 7turns, 5tool_uses, on_error, always, or several "
                "with /; numbers are above 0"
            )
    return Trigger(**found)  # type: ignore[arg-type]
