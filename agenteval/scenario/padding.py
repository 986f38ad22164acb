"""`{$pad: {tokens: 400}}` → so many tokens of neutral text, the same on every machine: length without meaning.

Every word of it is one token of o200k where it follows a blank (a test looks), so nothing has to be counted. It holds
no digit, no name, no command and no rule; what it is to hide stands in it once (`holds`). A scenario with `sizes` is
there once for each, and padding in `percent` fills what is left of a size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from agenteval.canonical import seed_of
from agenteval.scenario.model import ScenarioFile
from agenteval.script import Json

MAX_TOKENS = 20_000
SENTENCE = 9
"""Tokens of one sentence, with its full stop."""
LINE = 4
"""Sentences on a line."""

LOOKS = tuple(
    [
        "old",
        "small",
        "green",
        "quiet",
        "narrow",
        "round",
        "empty",
        "plain",
        "heavy",
        "warm",
        "cold",
        "long",
        "broad",
        "wooden",
        "grey",
        "blue",
        "tall",
        "thin",
        "soft",
    ]
)
THINGS = tuple(
    [
        "door",
        "shelf",
        "table",
        "wall",
        "yard",
        "lamp",
        "window",
        "roof",
        "fence",
        "road",
        "bench",
        "field",
        "river",
        "bridge",
        "garden",
        "tower",
        "hall",
        "stone",
        "cloud",
        "hill",
        "tree",
        "path",
        "corner",
        "floor",
        "chair",
        "box",
        "cart",
        "rope",
        "bell",
        "gate",
    ]
)
DOES = ("stands", "lies", "rests", "waits", "sits", "hangs", "ends", "begins", "turns")
WHERE = ("near", "behind", "beside", "below", "above", "under", "before", "beyond", "against", "over")

KEYS = {
    "tokens": "a whole number: so many tokens, within a sentence",
    "percent": "a whole number, in place of `tokens`: a part of what a size leaves to fill, see `sizes`",
    "seed": "a whole number; another one gives another text of the same length",
    "holds": "a text that stands in it once, on a line of its own",
    "at": "start, middle or end: where that line stands; the middle if left out",
}
"""What may stand behind `$pad`, and what it means."""


@dataclass(frozen=True, slots=True)
class Padding:
    """`percent` of what a size leaves to fill, or `tokens`; `at`: where in it `holds` stands."""

    tokens: int | None = None
    percent: int | None = None
    seed: int = 0
    holds: str = ""
    at: str = "middle"

    def text(self, room: int | None) -> str:
        """`room`: tokens that a size leaves to fill. Raises ValueError."""
        if self.percent is not None and room is None:
            raise ValueError("`percent` is a part of a size, and this scenario has no `sizes`")
        tokens = self.tokens if self.tokens is not None else (room or 0) * (self.percent or 0) // 100
        lines = [" ".join(line) for line in _lines(tokens // SENTENCE, Random(seed_of("pad", self.seed)))]
        if self.holds:
            lines.insert({"start": 0, "middle": len(lines) // 2, "end": len(lines)}[self.at], self.holds)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Size:
    """`tokens` of the rendered prompt where the last fact is needed, of which `room` is padding."""

    tokens: int
    room: int

    @property
    def label(self) -> str:
        return f"{self.tokens // 1000}k"

    def named(self, file: ScenarioFile) -> ScenarioFile:
        """The file of this size."""
        return file.model_copy(update={"name": f"{file.name}-{self.label}", "tags": [*file.tags, self.label]})


def sizes_of(value: Json) -> list[Size | None]:
    """The sizes in a document; one without a size if it has none, or none that can be read: its check will say so."""
    sizes = value.get("sizes") if isinstance(value, dict) else None
    bare = sizes.get("bare") if isinstance(sizes, dict) else None
    tokens = sizes.get("tokens") if isinstance(sizes, dict) else None
    if not isinstance(bare, int) or not isinstance(tokens, list) or not tokens:
        return [None]
    return [Size(size, max(size - bare, 0)) for size in tokens if isinstance(size, int)] or [None]


def padding(value: Json) -> Padding:
    """What stands behind `$pad`, read. Raises ValueError that says what was expected."""
    if not isinstance(value, dict) or (strange := sorted(value.keys() - set(KEYS))):
        raise ValueError(
            f"expected a map of {', '.join(KEYS)}{f', not {strange[0]!r}' if isinstance(value, dict) else ''}"
        )
    if ("tokens" in value) == ("percent" in value):
        raise ValueError("expected either `tokens` or `percent`")
    for key, most in (("tokens", MAX_TOKENS), ("percent", 100), ("seed", 2**31)):
        number = value.get(key, 0)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
            raise ValueError(f"`{key}` is a whole number from 0 to {most:,}")
    if not isinstance(value.get("holds", ""), str) or value.get("at", "middle") not in ("start", "middle", "end"):
        raise ValueError("`holds` is a text, and `at` is start, middle or end")
    return Padding(**value)


def _lines(sentences: int, rng: Random) -> Iterator[list[str]]:
    for start in range(0, sentences, LINE):
        yield [_sentence(rng) for _ in range(min(LINE, sentences - start))]


def _sentence(rng: Random) -> str:
    one, other = rng.sample(THINGS, 2)
    return f"The {rng.choice(LOOKS)} {one} {rng.choice(DOES)} {rng.choice(WHERE)} the {rng.choice(LOOKS)} {other}."
