"""`agenteval parsers`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from agenteval.cli import audit, record
from agenteval.cli.options import with_options
from agenteval.cli.own import own_code
from agenteval.cli.voice import tell
from agenteval.errors import UsageError
from agenteval.parsers import FAMILIES, Family
from agenteval.regress.adapters import ENGINES, Workshop, opened
from agenteval.regress.baseline import judge, load_baseline, strangers
from agenteval.regress.case import Case
from agenteval.regress.check import Options, Paper, check, rewritten
from agenteval.regress.corpus import bundled_corpus, load_corpus
from agenteval.regress.diff import diff
from agenteval.regress.measured import seen
from agenteval.regress.subject import Subject
from agenteval.report.parserdiff import render_differences, render_json
from agenteval.report.parsers import FORMATS, again
from agenteval.report.terminal import entry
from agenteval.visible import visible


@click.group(name="parsers")
def command() -> None:
    """Regression-check tool-call and reasoning parsers, whoever's they are.

    A corpus of raw replies, each cut in every way a stream can be, goes through a parser; what comes out is compared
    with what must. Ours:

    \b
    agenteval parsers check agenteval:all
    agenteval parsers check vllm:glm47 --python vllm=…/bin/python
    agenteval parsers check vllm@old:all vllm@new:all --python vllm@old=… --python vllm@new=…
    agenteval parsers check command:"./my-parser --fast" --family glm47
    agenteval parsers diff vllm:glm47 sglang:glm47 --python vllm=… --python sglang=…
    """


command.add_command(record.command)
command.add_command(audit.command)


def _pairs(_: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise click.BadParameter(f"{text!r} is not {parameter.metavar}")
        found.append((name, value))
    return tuple(found)


def _pythons(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """Engine or label → its Python; `` stands for every engine that has none of its own."""
    found = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals:
            name, path = "", text
        if name in found:
            raise click.BadParameter(f"two Pythons are given for {name or 'all engines'}")
        found[name] = path
    return found


def _cut(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        places = tuple(int(part) for part in text.split(",") if part)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of places like 3,17") from error
    if list(places) != sorted(places) or any(place < 0 for place in places):
        raise click.BadParameter(f"{text!r} does not rise")
    return places


WORKSHOP = (
    click.option(
        "--python",
        "pythons",
        multiple=True,
        callback=_pythons,
        metavar="[ENGINE[@LABEL]=]PATH",
        help="The Python in which an engine is installed; agenteval need not be there. May be repeated.",
    ),
    click.option(
        "--family",
        metavar="NAME",
        help="The family of parsers whose name does not say it (command:, http:, module:function).",
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(0.1, 3600),
        default=20.0,
        show_default=True,
        metavar="S",
        help="Seconds for one answer of a parser outside; then it hangs, is ended and begun again. For its first one a "
        "program has 300 s: engines take long to import. A module:function runs in this process: what hangs it hangs "
        "the exam.",
    ),
    click.option(
        "--any-cut",
        is_flag=True,
        help="Cut inside special strings, too (outside parsers are given whole tokens otherwise).",
    ),
)
CORPUS = click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder of cases instead of the bundled ones.",
)
CUTS = click.option(
    "--cuts",
    type=click.Choice(["all", "quick"]),
    default="all",
    show_default=True,
    help="Every place to cut, or some.",
)
CASE = click.option("--case", "names", multiple=True, metavar="NAME", help="Only this case; may be repeated.")
POLICY = click.option(
    "--parser-policy",
    "choices",
    multiple=True,
    callback=_pairs,
    metavar="POLICY=OPTION",
    help="The option that is right (parsers list FAMILY names them); may be repeated.",
)


@command.command(name="list")
@click.argument("family", required=False)
def list_parsers(family: str | None) -> None:
    """Families and engines; of a FAMILY its policies: what malformed and ambiguous text means."""
    if family is not None:
        _list_policies(_family(family))
        return
    cases = load_corpus(bundled_corpus())
    for name in FAMILIES:
        number = sum(case.family == name for case in cases)
        click.echo(entry(f"{name}: {number} cases, {len(FAMILIES[name].policies)} policies", _says(FAMILIES[name])))
    click.echo("")
    for engine, (families, what) in ENGINES.items():
        click.echo(entry(engine, f"{what} {', '.join(families)}"))


def _says(family: Family) -> str:
    text = sys.modules[f"agenteval.parsers.{family.name}"].__doc__ or ""
    return " ".join(text.split("\n\n")[0].split())


def _list_policies(family: Family) -> None:
    for policy in family.policies:
        options = [
            f"{'*' if option == policy.default else ' '} {option}: {does}" for option, does in policy.options.items()
        ]
        elsewhere = [f"{who}: {does}" for who, does in policy.elsewhere.items()]
        elsewhere += [f"{engine}, measured: {it}" for engine, it in seen(family.name, policy.name).items()]
        click.echo(entry(policy.name, policy.question))
        for line in (*options, *(f"  ({line})" for line in elsewhere)):
            click.echo(f"      {visible(line)}")


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise UsageError(f"no family is called {name!r}; there are: {', '.join(FAMILIES)}")
    return FAMILIES[name]


@command.command(name="check")
@click.argument("parsers", nargs=-1, required=True, metavar="ENGINE:FAMILY...")
@with_options(*WORKSHOP, CORPUS, CUTS, CASE, POLICY)
@click.option("--cut", callback=_cut, metavar="PLACES", help="Only this way of cutting, like 3,17; with one --case.")
@click.option("--shrink/--no-shrink", default=True, help="Look for the smallest input that fails; default: yes.")
@click.option("--raw", metavar="JSON", help="Another text for the one --case, as a JSON string.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Known failures, each with a reason; only others count.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="terminal",
    show_default=True,
    help="baseline: the failures as a baseline to fill in.",
)
def check_parsers(parsers: tuple[str, ...], form: str, baseline: Path | None, **values: Any) -> int:
    """Put parsers through the exam. Exit code 1 if one fails.

    FAMILY may be all: every one that the engine has.
    """
    known = load_baseline(baseline) if baseline else ()
    with own_code(), opened(parsers, _workshop(values)) as subjects:
        corpus = _corpus({subject.family.name for subject in subjects}, values)
        choices = _chosen(values["choices"], [subject.family for subject in subjects])
        options = Options(values["cuts"], choices, values["cut"], values["shrink"])
        cases = _named(corpus, values)
        for sentence in strangers(known, [subject.name for subject in subjects], [case.full_name for case in corpus]):
            tell(sentence)
        papers = [_examined(subject, cases, options) for subject in subjects]
    if not any(paper.results for paper in papers):
        raise UsageError("nothing was examined: no case here says what is right under these --parser-policy options")
    one = values["raw"] is not None or values["cut"] is not None
    verdict = judge(papers, known, "one" if one else values["cuts"])
    line, raw = _typed(values), None if values["raw"] is None else _text(values["raw"])
    click.echo(FORMATS[form](verdict, lambda *failed: again(line, raw, *failed)), nl=False)
    return 0 if verdict.passed else 1


def _examined(subject: Subject, corpus: Sequence[Case], options: Options) -> Paper:
    paper = check(subject, corpus, options)
    failed = sum(bool(result.failures) for result in paper.results)
    tell(f"{paper.subject} ({paper.version or 'version unknown'}): {len(paper.results)} sittings, {failed} failed")
    return paper


@command.command(name="diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@with_options(*WORKSHOP, CORPUS, CUTS, CASE)
@click.option("--json", "as_json", is_flag=True, help="The differences as JSON.")
def diff_parsers(one: str, other: str, as_json: bool, **values: Any) -> int:
    """What two parsers, or two versions of one, read differently: case, cut, field, both outputs.

    Exit code 1 if there is a difference.
    """
    with own_code(), opened([one, other], _workshop(values)) as subjects:
        if len(subjects) != 2:
            raise UsageError("diff compares two parsers of one family: name a family, not `all`")
        cases = _named(_corpus({subject.family.name for subject in subjects}, values), values)
        differences = diff(subjects[0], subjects[1], cases, values["cuts"])
    render = render_json if as_json else render_differences
    click.echo(render(differences, subjects[0].name, subjects[1].name), nl=False)
    return 1 if differences else 0


def _workshop(values: dict[str, Any]) -> Workshop:
    return Workshop(
        pythons=values["pythons"],
        family=values["family"],
        limit_s=values["time_limit"],
        any_cut=values["any_cut"],
    )


def _corpus(families: set[str], values: dict[str, Any]) -> list[Case]:
    """All cases of some families. Raises UsageError if there are none."""
    corpus = list(load_corpus(values["corpus"] or bundled_corpus(), families))
    if not corpus:
        raise UsageError(f"the corpus has no cases for {', '.join(sorted(families))}")
    return corpus


def _named(corpus: Sequence[Case], values: dict[str, Any]) -> list[Case]:
    """The cases to examine, and what they say. Raises UsageError for a name, or a place to cut, that is not there."""
    names, raw, cut = values["names"], values.get("raw"), values.get("cut")
    chosen = [case for case in corpus if not names or case.full_name in names or case.name in names]
    missing = [name for name in names if not any(name in (case.full_name, case.name) for case in chosen)]
    if missing:
        raise UsageError(f"there is no case {missing[0]!r} for {', '.join(sorted({case.family for case in corpus}))}")
    if (raw is not None or cut is not None) and len(chosen) != 1:
        raise UsageError(f"--raw and --cut need one --case, and there are {len(chosen)}")
    if raw is not None:
        chosen = [rewritten(chosen[0], _text(raw), dict(values["choices"]))]
    if cut and cut[-1] > len(chosen[0].raw):
        raise UsageError(f"--cut {cut[-1]}: the text of {chosen[0].full_name} has {len(chosen[0].raw)} characters")
    return chosen


def _chosen(pairs: Sequence[tuple[str, str]], families: Sequence[Family]) -> dict[str, str]:
    """The options that are right, by policy. Raises UsageError for one that none of the families has."""
    for name, option in pairs:
        there = [policy for family in families for policy in family.policies if policy.name == name]
        if not there:
            raise UsageError(f"no policy called {name!r} here; agenteval parsers list FAMILY names them")
        if not any(option in policy.options for policy in there):
            raise UsageError(f"the policy {name} has no option {option!r}; there are: {', '.join(there[0].options)}")
    return dict(pairs)


def _text(raw: str) -> str:
    try:
        text = json.loads(raw)
    except ValueError as error:
        raise UsageError(f"--raw is no JSON: {error}") from error
    if not isinstance(text, str):
        raise UsageError("--raw has to be a JSON string")
    return text


def _typed(values: dict[str, Any]) -> list[str]:
    """The options of this command line that another one has to repeat to show a failure again."""
    words: list[str] = []
    for name, path in values["pythons"].items():
        words += ["--python", f"{name}={path}" if name else path]
    for name, value in (("--family", values["family"]), ("--corpus", values["corpus"])):
        words += [name, str(value)] if value else []
    for policy, option in values["choices"]:
        words += ["--parser-policy", f"{policy}={option}"]
    return words + (["--any-cut"] if values["any_cut"] else [])
