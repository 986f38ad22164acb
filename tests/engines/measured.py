"""What `agenteval parsers check` found about policies, as the data behind `agenteval parsers list FAMILY`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agenteval.parsers import ParsedCall, ParsedMessage
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.likeness import differing
from agenteval.regress.measured import Seen

DATA = Path(__file__).parents[2] / "agenteval" / "data" / "measured_policies.json"
NAMED = ("names",)
LATEST = ("vllm", "sglang", "llamacpp")
"""Engines whose doings stand beside our policies; older versions do not."""


def spelled(values: Iterable[Mapping[str, Any]]) -> str:
    """The data file."""
    found: dict[str, dict[str, dict[str, Seen]]] = {}
    cases = [case for case in load_corpus(bundled_corpus()) if case.policy]
    for value in values:
        for paper in value["parsers"]:
            if paper["parser"].partition(":")[0] not in LATEST:
                continue
            asked = {case.full_name: case.policy for case in cases if case.family == paper["family"]}
            failures = [it for it in value["new"] if it["parser"] == paper["parser"] and it["case"] in asked]
            for policy in dict.fromkeys(asked.values()):
                names = [name for name, about in asked.items() if about == policy]
                one = _seen(names, paper["options"], failures)
                found.setdefault(paper["family"], {}).setdefault(str(policy), {})[paper["version"]] = one
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=1).decode() + "\n"


def _seen(names: list[str], options: Mapping[str, str | None], failures: list[dict[str, Any]]) -> Seen:
    clean = [options[name] for name in names if name in options]
    chosen = Counter(option for option in clean if option is not None)
    by_cut, otherwise = 0, Counter[str]()
    for name in names:
        if name in options:
            continue
        wholes = [it for it in failures if it["case"] == name and it["kind"] in ("whole", "policy")]
        by_cut += not wholes
        for failure in wholes[:1]:
            otherwise.update(_differing(failure))
    return Seen(len(names), clean.count(None), dict(sorted(chosen.items())), by_cut, dict(otherwise.most_common()))


def _differing(failure: Mapping[str, Any]) -> list[str]:
    expected, got = (_message(failure[key]) for key in ("expected", "got"))
    if expected is None or got is None:
        return ["no answer"]
    kinds = {f"{kind.partition(' ')[0]} changed" if kind in NAMED else kind for kind in differing(expected, got)}
    return sorted("arguments changed" if kind.startswith("arguments ") else kind for kind in kinds) or [
        "blanks or keys"
    ]


def _message(value: Mapping[str, Any] | None) -> ParsedMessage | None:
    if value is None:
        return None
    calls = tuple(ParsedCall(call["name"], call["arguments_text"]) for call in value["calls"])
    return ParsedMessage(value["reasoning"], value["content"], calls)
