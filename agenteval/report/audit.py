"""What a live audit found, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from agenteval.regress.audit import Audited
from agenteval.regress.record import Recorded
from agenteval.report.recorded import difference_lines, reply_value
from agenteval.visible import visible

HEADER = ("raw text by", "replies", "same", "by policy", "open question", "differ")


def render_audit(audited: Sequence[Audited], about: str, files: Sequence[str]) -> str:
    """How many replies could be compared, and by what; then every difference, each kind of text once."""
    return "\n".join(map(visible, _lines(audited, about, files))) + "\n"


def _lines(audited: Sequence[Audited], about: str, files: Sequence[str]) -> Iterator[str]:
    known = [it.reply for it in audited if it.reply is not None]
    calls = sum(len(reply.reading.expected.calls) for reply in known)
    yield f"{about}: {len(audited)} asked, {len(known)} compared, {calls} calls in them."
    yield ""
    yield tabulate(_rows(known), headers=HEADER, tablefmt="simple", disable_numparse=True)
    for why, number in Counter(it.why for it in audited if it.why).items():
        yield f"not compared: {number}, {why}"
    chosen = Counter(reply.agrees for reply in known if reply.agrees)
    for option, number in sorted(chosen.items()):
        yield f"policy: {number} as {option}"
    for reply in _differing(known):
        yield ""
        yield from difference_lines(reply)
    yield ""
    yield f"Saved as cases: {', '.join(files)}" if files else "No difference."
    if any(reply.agrees != "" for reply in known):
        yield "by policy: read as another option of ours says; open question: as none, but the format leaves it open."


def _rows(known: Sequence[Recorded]) -> list[tuple[str, ...]]:
    sources = dict.fromkeys(reply.source for reply in known)
    return [(source, *_counts([reply for reply in known if reply.source == source])) for source in sources]


def _counts(replies: Sequence[Recorded]) -> tuple[str, ...]:
    same = sum(reply.agrees == "" for reply in replies)
    differing = [reply for reply in replies if reply.agrees is None]
    open_ = sum(reply.policy is not None for reply in differing)
    chosen = len(replies) - same - len(differing)
    return tuple(map(str, (len(replies), same, chosen, open_, len(differing) - open_)))


def _differing(known: Sequence[Recorded]) -> list[Recorded]:
    """The first of those that wrote and read the same."""
    found = {(it.reading.raw, it.said, it.finish_reason): it for it in reversed(known) if it.agrees is None}
    return list(found.values())[::-1]


def render_json(audited: Sequence[Audited], about: str, files: Sequence[str]) -> str:
    value = {
        "about": about,
        "replies": [reply_value(it.reply) for it in audited if it.reply is not None],
        "not_compared": [{"probe": it.line.name, "why": it.why} for it in audited if it.reply is None],
        "files": files,
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
