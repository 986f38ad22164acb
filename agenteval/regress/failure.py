"""What an exam finds: failures, and how a case went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agenteval.parsers import ParsedMessage
from agenteval.regress.case import Case
from agenteval.regress.cuts import Pieces

Kind = Literal[
    "whole",
    "policy",
    "cuts",
    "protocol",
    "markers",
    "finish",
    "truncation",
    "hold_back",
    "flush",
    "linear",
    "raised",
    "crashed",
    "hung",
]

NO_ANSWER: frozenset[Kind] = frozenset({"raised", "crashed", "hung"})

Place = Literal["whole", "cut", "prefix"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong. `at`: whether the text as a whole shows it, a way of cutting it, or a part of it that broke off;
    `pieces`: the smallest cut that shows it; `expected`, `got`: both readings, where it is about them; `times`: how
    many cuts or prefixes show it; `shrunk`: a smaller input with the same fault, cut as it must be."""

    kind: Kind
    at: Place
    detail: str
    pieces: Pieces
    expected: ParsedMessage | None = None
    got: ParsedMessage | None = None
    times: int = 1
    shrunk: Pieces | None = None

    @property
    def of_the_cut(self) -> bool:
        """Whether it shows that the reading depends on how the text was cut."""
        return self.kind == "cuts" or (self.kind in NO_ANSWER and self.at == "cut")


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went. `option`: the option of the case's policy that was asked for, or that the parser's answer shows;
    None: the default, or no option. `cuts`: how many ways of cutting were tried."""

    case: Case
    option: str | None
    failures: tuple[Failure, ...]
    cuts: int

    @property
    def whole(self) -> bool:
        """Whether the whole text was read as it should be."""
        return not any(
            failure.kind in ("whole", "policy") or (failure.kind in NO_ANSWER and failure.at == "whole")
            for failure in self.failures
        )

    @property
    def depends_on_the_cut(self) -> bool:
        return any(failure.of_the_cut for failure in self.failures)

    @property
    def clean(self) -> bool:
        """The same, under every cut."""
        broken = any(failure.kind in ("protocol", "markers") for failure in self.failures)
        return self.whole and not self.depends_on_the_cut and not broken
