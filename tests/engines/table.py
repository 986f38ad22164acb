"""How many cases each engine reads rightly, per family, from the JSON that `agenteval parsers check` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tabulate import tabulate

HEADER = ("parser", "version", "well-formed", "whole", "every cut", "malformed", "as ours", "by option")
Paper = Mapping[str, Any]


def details(papers: Iterable[Paper]) -> str:
    """One row per parser."""
    return tabulate([_row(paper) for paper in papers], headers=HEADER, tablefmt="pipe", disable_numparse=True)


def _row(paper: Paper) -> list[str]:
    formed, open_ = paper["well_formed"], paper["open_questions"]
    numbers = (formed["all"], formed["whole"], formed["clean"], open_["all"])
    as_ours = open_["clean"] - open_["other_option"]
    return [paper["parser"], paper["version"], *map(str, numbers), str(as_ours), str(open_["other_option"])]


def overview(papers: Iterable[Paper]) -> str:
    """One row per family, one column per engine: cases that are right as a whole text, and under every cut, of the
    well-formed ones."""
    cells: dict[str, dict[str, str]] = {}
    for paper in papers:
        formed = paper["well_formed"]
        cell = f"{formed['whole']}, {formed['clean']} of {formed['all']}"
        cells.setdefault(paper["family"], {})[paper["version"]] = cell
    engines = list(dict.fromkeys(version for row in cells.values() for version in row))
    rows = [[family, *(row.get(engine, "–") for engine in engines)] for family, row in cells.items()]
    totals = ["all", *(_total(row.get(engine) for row in cells.values()) for engine in engines)]
    return tabulate([*rows, totals], headers=["family", *engines], tablefmt="pipe", disable_numparse=True)


def _total(cells: Iterable[str | None]) -> str:
    sums = [0, 0, 0]
    for cell in cells:
        if cell:
            for place, number in enumerate(cell.replace(",", "").replace(" of", "").split()):
                sums[place] += int(number)
    return f"{sums[0]}, {sums[1]} of {sums[2]}"
