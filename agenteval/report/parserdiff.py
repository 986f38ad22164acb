"""Differences between two parsers as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agenteval.regress.diff import Difference
from agenteval.report.parsers import spelled
from agenteval.visible import visible


def render_differences(differences: Sequence[Difference], one: str, other: str) -> str:
    """Per difference: the case, where it is cut, and what each says."""
    if not differences:
        return f"No difference between {one} and {other}.\n"
    wide = max(len(one), len(other))
    cases = len({difference.case.full_name for difference in differences})
    lines = [f"{cases} cases are read differently by {one} and {other}."]
    for difference in differences:
        case = difference.case
        where = "whole text" if difference.pieces is None else f"{difference.times} cuts, the smallest:"
        lines += ["", f"{case.full_name} · {where}", f"  {' '.join([case.why, *case.guards])}"]
        lines.append(f"  input  {spelled(difference.pieces or (case.raw,))}")
        for field, ours, theirs in difference.fields:
            lines += [f"  {field}", f"    {one:{wide}}  {ours}", f"    {other:{wide}}  {theirs}"]
    return "\n".join(map(visible, lines)) + "\n"


def render_json(differences: Sequence[Difference], one: str, other: str) -> str:
    values = [
        {
            "case": difference.case.full_name,
            "why": difference.case.why,
            "guards": list(difference.case.guards),
            "pieces": difference.pieces,
            "cuts": difference.times,
            "fields": [{"field": field, "a": ours, "b": theirs} for field, ours, theirs in difference.fields],
        }
        for difference in differences
    ]
    return json.dumps({"a": one, "b": other, "differences": values}, indent=1, ensure_ascii=False) + "\n"
