"""What engines do with the cases that ask about a policy: measured by `make test-engines`, kept as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec

_FILE = "data/measured_policies.json"


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One engine over the cases of one policy: how many of `cases` it read as our default, as another of our `options`,
    now this way and now that with the `cuts`, and `otherwise` (what differed → in how many cases)."""

    cases: int
    ours: int = 0
    options: dict[str, int] = {}
    cuts: int = 0
    otherwise: dict[str, int] = {}

    def __str__(self) -> str:
        return ", ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.ours == self.cases:
            yield f"as we do ({self.cases} of {self.cases} cases)"
            return
        yield f"as we do in {self.ours} of {self.cases} cases"
        for option, number in self.options.items():
            yield f"{option} in {number}"
        if self.cuts:
            yield f"by how the stream is cut in {self.cuts}"
        different = self.cases - self.ours - self.cuts - sum(self.options.values())
        if different:
            yield f"otherwise in {different} ({', '.join(self.otherwise)})"


Table = Mapping[str, Mapping[str, Mapping[str, Seen]]]
"""Family → policy → engine and version → what was seen."""


@cache
def table() -> Table:
    """All that was measured."""
    data = files("agenteval").joinpath(_FILE).read_bytes()
    return msgspec.json.decode(data, type=dict[str, dict[str, dict[str, Seen]]])


def seen(family: str, policy: str) -> Mapping[str, Seen]:
    """Of one policy of one family, by engine and version."""
    return table().get(family, {}).get(policy, {})
