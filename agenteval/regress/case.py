"""A case of the corpus: a raw reply, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agenteval.messages import ToolSpec
from agenteval.parsers import ParsedMessage


@dataclass(frozen=True, slots=True)
class Case:
    """`name`: its id, unique in its family. `why`: the defect class; `guards`: public reports of it
    (`vllm#44326`). `thinking`: the prompt ended inside reasoning.

    `policy`: the question that malformed or ambiguous text leaves open, None for a well-formed reply. `expected` is
    what comes out under the policy's default, None if only other options are told; `otherwise`: option → what comes
    out under it. `place`: the file in its folder, and the line.
    """

    family: str
    name: str
    why: str
    guards: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    raw: str
    expected: ParsedMessage | None
    thinking: bool = False
    policy: str | None = None
    otherwise: Mapping[str, ParsedMessage] = field(default_factory=dict)
    place: str = ""

    @property
    def well_formed(self) -> bool:
        return self.policy is None

    @property
    def full_name(self) -> str:
        return f"{self.family}/{self.name}"

    def meanings(self) -> dict[str | None, ParsedMessage]:
        """Every meaning that is right: by the option of the policy, None for the default."""
        found: dict[str | None, ParsedMessage] = {} if self.expected is None else {None: self.expected}
        found.update(self.otherwise)
        return found
