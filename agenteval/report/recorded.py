"""What `parsers record` made of a run, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from agenteval.regress.record import Record, Recorded, told
from agenteval.visible import visible


def render_record(record: Record, files: Sequence[str], cases: int) -> str:
    """How many replies are known in their raw text, how the server's parser read them, and every difference."""
    return "\n".join(map(visible, _lines(record, files, cases))) + "\n"


def _lines(record: Record, files: Sequence[str], cases: int) -> Iterator[str]:
    rows = _rows(record)
    yield tabulate(rows, headers=("replies", "number"), tablefmt="simple", disable_numparse=True)
    for recorded in record.replies:
        if recorded.differences:
            yield ""
            yield from difference_lines(recorded)
    yield ""
    yield f"{cases} {'case' if cases == 1 else 'cases'} in {', '.join(files)}" if files else "No case was written."


def _rows(record: Record) -> list[tuple[str, int]]:
    known = record.replies
    same = sum(it.agrees == "" for it in known)
    chosen = sum(bool(it.agrees) for it in known)
    rows = [
        ("raw text known, each counted once", len(known)),
        ("  the server's parser read what ours reads", same),
        ("  it chose another option of a policy", chosen),
        ("  it read something else", len(known) - same - chosen),
        ("the same words again", record.repeated),
    ]
    return rows + [(f"raw text not known: {why}", number) for why, number in record.left.items()]


def difference_lines(recorded: Recorded) -> Iterator[str]:
    """A reply that is read in two ways: the text, and per field what each says."""
    yield f"{recorded.step} · {told(recorded)}"
    yield f"  wrote  {json.dumps(recorded.reading.raw, ensure_ascii=False)}"
    for field, ours, theirs in recorded.differences:
        yield f"  {field}"
        yield f"    agenteval  {ours}"
        yield f"    server     {theirs}"


def render_json(record: Record, files: Sequence[str], cases: int) -> str:
    value = {
        "replies": [reply_value(recorded) for recorded in record.replies],
        "repeated": record.repeated,
        "not_known": record.left,
        "cases": cases,
        "files": files,
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def reply_value(recorded: Recorded) -> dict[str, object]:
    """One reply for JSON."""
    fields = [{"field": field, "agenteval": ours, "server": theirs} for field, ours, theirs in recorded.differences]
    return {
        "step": recorded.step,
        "source": recorded.source,
        "raw": recorded.reading.raw,
        "agrees": recorded.agrees is not None,
        "option": recorded.agrees or None,
        "policy": recorded.policy,
        "calls": len(recorded.reading.expected.calls),
        "fields": fields,
    }
