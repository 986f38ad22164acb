"""A baseline: failures that are known, each with a reason.

```yaml
known:
  - reason: "vllm#47137: a cut opener is content in one mode and nothing in the other"
    parser: vllm:glm47
    kinds: [cuts]
    cases: [glm47/truncated-marker-in-content]
```
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agenteval.document.complaints import complaints
from agenteval.document.reader import MAX_BYTES, read
from agenteval.errors import FileError, UsageError
from agenteval.regress.check import Paper
from agenteval.regress.cuts import Thoroughness
from agenteval.regress.failure import Failure, Kind, Result

KINDS: tuple[str, ...] = get_args(Kind)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EntryFile(_Strict):
    reason: str = Field(description="a text: why this failure is accepted", min_length=1)
    parser: str = Field(description="the parser's name, like vllm:glm47")
    kinds: list[Kind] = Field(description=f"a list of {', '.join(KINDS)}", min_length=1)
    cases: list[str] = Field(description="a list of cases, like glm47/zero-arguments", min_length=1)


class BaselineFile(_Strict):
    known: list[EntryFile] = Field(description="a list of known failures")


@dataclass(frozen=True, slots=True)
class Known:
    """A failure that was there before."""

    parser: str
    case: str
    kind: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.parser, self.case, self.kind


NONE_KNOWN: tuple[Known, ...] = ()


def load_baseline(path: pathlib.Path) -> tuple[Known, ...]:
    """Raises FileError with everything that is wrong with the file, UsageError if it cannot be read."""
    try:
        with path.open("rb") as file:
            document = read(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if not isinstance(document.value, dict):
        raise FileError((document.problem((), "expected a map with `known`"),))
    try:
        found = BaselineFile.model_validate(document.value)
    except ValidationError as error:
        raise FileError(tuple(complaints(document, error, BaselineFile))) from error
    return tuple(
        Known(entry.parser, case, kind, entry.reason)
        for entry in found.known
        for case in entry.cases
        for kind in entry.kinds
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to. `new`: failures that no baseline knows; `known`: those that it does, with the reason;
    `repaired`: what the baseline knows of cases that were examined, and that does not fail any more; `thorough`: all
    cuts were tried, so that it may be taken out of the baseline."""

    papers: tuple[Paper, ...]
    new: tuple[tuple[Paper, Result, Failure], ...]
    known: tuple[tuple[Paper, Result, Failure, str], ...]
    repaired: tuple[Known, ...]
    thorough: bool = True

    @property
    def passed(self) -> bool:
        return not self.new


def judge(
    papers: Sequence[Paper], baseline: Iterable[Known] = NONE_KNOWN, tried: Thoroughness | Literal["one"] = "all"
) -> Verdict:
    """Failures apart by whether they are known. `tried`: which cuts; where it was one, or another text than the case's,
    nothing was repaired by it."""
    reasons = {known.key: known for known in baseline}
    new, accepted, seen = [], [], set()
    for paper in papers:
        for result, failure in paper.failures:
            key = (paper.subject, result.case.full_name, failure.kind)
            seen.add(key)
            if known := reasons.get(key):
                accepted.append((paper, result, failure, known.reason))
            else:
                new.append((paper, result, failure))
    examined = {(paper.subject, result.case.full_name) for paper in papers for result in paper.results}
    gone = [known for known in reasons.values() if known.key not in seen and known.key[:2] in examined]
    return Verdict(tuple(papers), tuple(new), tuple(accepted), tuple(gone if tried != "one" else ()), tried == "all")


def strangers(baseline: Iterable[Known], parsers: Sequence[str], cases: Sequence[str]) -> list[str]:
    """What a baseline knows and nothing here can meet, a sentence each: parsers that are not examined, and cases of
    those that are which the corpus does not have."""
    entries = list(baseline)
    others = sorted({known.parser for known in entries} - set(parsers))
    gone = sorted({known.case for known in entries if known.parser in parsers} - set(cases))
    told = [f"The baseline is also of {', '.join(others)}: not examined here."] if others else []
    return told + ([f"The baseline knows cases that the corpus does not have: {', '.join(gone)}."] if gone else [])
