"""What parsers' exams came to, as terminal text, markdown, json and JUnit's XML."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from agenteval.parsers import ParsedMessage
from agenteval.regress.baseline import Verdict
from agenteval.regress.check import Paper, tally
from agenteval.regress.cuts import Pieces
from agenteval.regress.failure import Failure, Result
from agenteval.regress.shrink import places_of
from agenteval.report import markdown, terminal
from agenteval.report.tables import Table
from agenteval.visible import visible

HEADER = ("parser", "well-formed", "whole", "every cut", "malformed", "as ours", "by option", "cut-proof", "failed")
SHOWN = 20
"""Failures that are told one by one on a terminal; the other formats have all."""
INSTRUCTIONS = {
    "whole": "the whole text is misread",
    "policy": "malformed text is read otherwise than under any option",
    "cuts": "the reading depends on the cut",
    "protocol": "the deltas break the stream contract",
    "markers": "a special string leaks",
    "finish": "the finish reason does not fit",
    "truncation": "a reply that breaks off is misread",
    "hold_back": "what came is held back to the end",
    "flush": "something comes after the end",
    "linear": "the work is more than linear",
    "raised": "the parser raised",
    "crashed": "the parser died, or broke off the protocol",
    "hung": "the parser did not come back",
}
AS_A_STREAM = "fed as a stream, even in one piece, the text is read otherwise than as a whole"
LEGEND = (
    "formed: well-formed replies; read rightly as a whole, under all cuts as well.",
    "odd: malformed ones; read as we do, under another option of the policy; cut-proof: the cut changes nothing.",
)
REPAIRED = {
    True: "Repaired (take them out of the baseline)",
    False: "Not seen with --cuts quick (repaired, if --cuts all does not show them either)",
}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Reproduce = Callable[[Paper, Result, Failure], str]
"""The command that shows one failure again."""


def table(verdict: Verdict) -> Table:
    """One row per parser."""
    return Table("Parsers", HEADER, tuple(map(_row, verdict.papers)))


def _row(paper: Paper) -> tuple[str, ...]:
    formed = tally(result for result in paper.results if result.case.well_formed)
    open_ = tally(result for result in paper.results if not result.case.well_formed)
    return (
        paper.subject,
        str(formed.all),
        str(formed.whole),
        str(formed.clean),
        str(open_.all),
        str(open_.clean - open_.other_option),
        str(open_.other_option),
        str(sum(not result.depends_on_the_cut for result in paper.results if not result.case.well_formed)),
        str(formed.all - formed.passed + open_.all - open_.passed),
    )


def headline(verdict: Verdict) -> str:
    cases = sum(len(paper.results) for paper in verdict.papers)
    cuts = sum(result.cuts for paper in verdict.papers for result in paper.results)
    failed = {0: "no failure", 1: "1 failure"}.get(len(verdict.new), f"{len(verdict.new)} failures")
    news = f"{failed}{' that the baseline does not know' if verdict.known or verdict.repaired else ''}"
    rest = f", {len(verdict.known)} known" if verdict.known else ""
    gone = f", {len(verdict.repaired)} {'repaired' if verdict.thorough else 'not seen'}" if verdict.repaired else ""
    return f"{cases:,} sittings, {cuts:,} cuts: {news}{rest}{gone}."


# --- terminal and markdown ------------------------------------------------------------------------------------


def render_terminal(verdict: Verdict, reproduce: Reproduce) -> str:
    parts = [headline(verdict), "", terminal.drawn(table(verdict)), "", *map(terminal.wrapped, LEGEND)]
    first = sorted(verdict.new, key=lambda found: not found[1].case.well_formed)
    for paper, result, failure in first[:SHOWN]:
        parts += ["", *map(visible, told(paper, result, failure, reproduce))]
    if len(verdict.new) > SHOWN:
        parts += ["", f"… and {len(verdict.new) - SHOWN} more: --format md or json has them all."]
    if verdict.repaired:
        parts += ["", REPAIRED[verdict.thorough]]
        parts += [terminal.wrapped(f"- {known.parser} {known.case} {known.kind}") for known in verdict.repaired]
    return "\n".join(parts) + "\n"


def render_markdown(verdict: Verdict, reproduce: Reproduce) -> str:
    parts = ["# agenteval parsers check", "", markdown.escaped(headline(verdict)), "", markdown.drawn(table(verdict))]
    for paper, result, failure in verdict.new:
        first, *lines = told(paper, result, failure, reproduce)
        parts += ["", f"## {markdown.escaped(first)}", "", "```text", *map(_unfenced, lines), "```"]
    if verdict.known:
        rows: tuple[tuple[str, ...], ...] = tuple(
            (paper.subject, result.case.full_name, failure.kind, reason)
            for paper, result, failure, reason in verdict.known
        )
        parts += ["", "## Known", "", markdown.drawn(Table("Known", ("parser", "case", "kind", "reason"), rows))]
    if verdict.repaired:
        rows = tuple((known.parser, known.case, known.kind, known.reason) for known in verdict.repaired)
        parts += [
            "",
            f"## {REPAIRED[verdict.thorough]}",
            "",
            markdown.drawn(Table("Repaired", ("parser", "case", "kind", "reason"), rows)),
        ]
    return "\n".join(parts) + "\n"


def _unfenced(line: str) -> str:
    return visible(line).replace("```", "'''")


def told(paper: Paper, result: Result, failure: Failure, reproduce: Reproduce) -> list[str]:
    """A failure in lines: what and where, both readings, the smallest input, the command that shows it again."""
    case = result.case
    option = f" ({case.policy}={result.option})" if case.policy and result.option else ""
    what = AS_A_STREAM if failure.kind == "cuts" and len(failure.pieces) == 1 else INSTRUCTIONS[failure.kind]
    lines = [f"{paper.subject} · {case.name}{option} · {failure.kind}: {what}"]
    lines.append(f"  {' '.join([case.why, *case.guards])}")
    if failure.detail:
        lines += [f"  {line}" for line in failure.detail.strip().splitlines()[-6:]]
    lines.append(f"  input     {spelled(failure.pieces)}" + (f"  ({failure.times} such)" if failure.times > 1 else ""))
    if failure.expected is not None:
        lines.append(f"  expected  {reading(failure.expected)}")
    if failure.got is not None:
        lines.append(f"  got       {reading(failure.got)}")
    if failure.shrunk and failure.shrunk != failure.pieces:
        lines.append(f"  smallest  {spelled(failure.shrunk)}")
    lines.append(f"  again     {reproduce(paper, result, failure)}")
    return lines


def spelled(pieces: Pieces) -> str:
    """A cut: its pieces as JSON texts, with bars between them."""
    return " | ".join(json.dumps(piece, ensure_ascii=False) for piece in pieces)


def reading(message: ParsedMessage) -> str:
    """A reading on one line."""
    parts = [f"{what} {json.dumps(text, ensure_ascii=False)}" for what, text in _texts(message) if text]
    parts += [f"call {_on_one_line(call.name)}({_on_one_line(call.arguments_text)})" for call in message.calls]
    return ", ".join(parts) or "nothing"


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)


def _texts(message: ParsedMessage) -> Iterable[tuple[str, str]]:
    return (("reasoning", message.reasoning), ("content", message.content))


def again(options: Sequence[str], raw: str | None, paper: Paper, result: Result, failure: Failure) -> str:
    """The command line that shows one failure again: its case, and where it is cut; the smaller text, if there is
    one, or `raw`, the one that was given instead of the case's."""
    pieces = failure.shrunk or failure.pieces
    words = ["agenteval", "parsers", "check", paper.subject, *options, "--case", result.case.full_name]
    text = "".join(failure.shrunk) if failure.shrunk else raw
    if text is not None:
        words += ["--raw", json.dumps(text, ensure_ascii=False)]
    if failure.at != "prefix" and failure.kind not in ("flush", "linear"):
        words += ["--cut", ",".join(map(str, places_of(pieces)))]
    return shlex.join(words)


# --- json and JUnit -------------------------------------------------------------------------------------------


def render_json(verdict: Verdict, reproduce: Reproduce) -> str:
    values = {
        "passed": verdict.passed,
        "parsers": [_paper(paper) for paper in verdict.papers],
        "new": [_failure(paper, result, failure, reproduce) for paper, result, failure in verdict.new],
        "known": [
            {**_failure(paper, result, failure, reproduce), "reason": reason}
            for paper, result, failure, reason in verdict.known
        ],
        "repaired": [asdict(known) for known in verdict.repaired],
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def _paper(paper: Paper) -> dict[str, Any]:
    return {
        "parser": paper.subject,
        "family": paper.family,
        "version": paper.version,
        "well_formed": asdict(tally(result for result in paper.results if result.case.well_formed)),
        "open_questions": asdict(tally(result for result in paper.results if not result.case.well_formed)),
        "options": {
            result.case.full_name: result.option for result in paper.results if result.clean and result.case.policy
        },
    }


def _failure(paper: Paper, result: Result, failure: Failure, reproduce: Reproduce) -> dict[str, Any]:
    return {
        "parser": paper.subject,
        "case": result.case.full_name,
        "why": result.case.why,
        "guards": list(result.case.guards),
        "policy": result.case.policy,
        "place": result.case.place,
        **asdict(failure),
        "again": reproduce(paper, result, failure),
    }


def render_junit(verdict: Verdict, reproduce: Reproduce) -> str:
    """One suite per parser, one test case per sitting; known failures are skipped ones."""
    reasons: dict[tuple[int, str], str] = {
        (id(result), failure.kind): reason for _, result, failure, reason in verdict.known
    }
    root = ElementTree.Element("testsuites", name="agenteval parsers check")
    for paper in verdict.papers:
        suite = ElementTree.SubElement(root, "testsuite", name=paper.subject, tests=str(len(paper.results)))
        failed = sum(any((id(result), it.kind) not in reasons for it in result.failures) for result in paper.results)
        suite.set("failures", str(failed))
        for result in paper.results:
            _add_test(suite, paper, result, reasons, reproduce)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_test(
    suite: ElementTree.Element,
    paper: Paper,
    result: Result,
    reasons: dict[tuple[int, str], str],
    reproduce: Reproduce,
) -> None:
    option = f" ({result.case.policy}={result.option})" if result.option else ""
    test = ElementTree.SubElement(suite, "testcase", classname=paper.subject, name=f"{result.case.name}{option}")
    for failure in result.failures:
        reason = reasons.get((id(result), failure.kind))
        text = "\n".join(told(paper, result, failure, reproduce))
        what = reason or f"{failure.kind}: {INSTRUCTIONS[failure.kind]}"
        if reason is None or all((id(result), it.kind) in reasons for it in result.failures):
            found = ElementTree.SubElement(test, "failure" if reason is None else "skipped", message=_xml(what))
            found.text = _xml(text)


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", visible(text))


def render_baseline(verdict: Verdict, reproduce: Reproduce) -> str:
    """Every failure as a baseline to fill in: the reasons are empty."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    kinds: dict[tuple[str, str], list[str]] = {}
    for paper, result, failure in verdict.new:
        found = kinds.setdefault((paper.subject, result.case.full_name), [])
        if failure.kind not in found:
            found.append(failure.kind)
    for (parser, case), some in kinds.items():
        groups.setdefault((parser, tuple(some)), []).append(case)
    entries = [
        f'  - reason: ""\n    parser: "{parser}"\n    kinds: [{", ".join(some)}]\n    cases:\n'
        + "".join(f"      - {case}\n" for case in cases)
        for (parser, some), cases in groups.items()
    ]
    return "known:\n" + "\n".join(entries) if entries else "known: []\n"


FORMATS: dict[str, Callable[[Verdict, Reproduce], str]] = {
    "terminal": render_terminal,
    "md": render_markdown,
    "json": render_json,
    "junit": render_junit,
    "baseline": render_baseline,
}
