"""`agenteval parsers record`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import click

from agenteval.canonical import short_hash
from agenteval.cli.options import OUT, with_options
from agenteval.cli.voice import tell
from agenteval.client import HttpTransport, normalise_base_url
from agenteval.errors import EndpointError, UsageError
from agenteval.parsers import FAMILIES, Family
from agenteval.regress.anonymous import Disguise, disguised
from agenteval.regress.case import Case
from agenteval.regress.record import Record, Recorded, cases, record_run
from agenteval.regress.retelling import Recalling, Retelling
from agenteval.regress.writing import corpus_text
from agenteval.report.recorded import render_json, render_record
from agenteval.store import Manifest, find_run, load_run
from agenteval.store.starter import write_new

CASES_IN_A_FILE = 100
TO = click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("cases"),
    show_default=True,
    metavar="DIR",
    help="The folder of the corpus that is written.",
)
ANONYMOUS = click.option(
    "--anonymous",
    is_flag=True,
    help="Write cases in other words of the same shape: names, texts, numbers; no run, no model, no description.",
)

AS_JSON = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
OTHER_WORDS = "Replies of a model, in other words."


@click.command(name="record")
@click.argument("run", default="latest")
@with_options(OUT, TO, ANONYMOUS, AS_JSON)
@click.option("--family", metavar="NAME", help="The model's native format; default: the run's.")
@click.option("--base-url", metavar="URL", help="Ask this endpoint for raw texts that the recording does not hold.")
@click.option("--api-key", envvar="OPENAI_API_KEY", show_envvar=True, metavar="KEY", help="For --base-url.")
@click.option("--differing", is_flag=True, help="Only replies that the server's parser read otherwise than ours.")
def command(run: str, out: Path, family: str | None, differing: bool, **values: Any) -> int:
    """Make cases for a corpus of a recorded RUN: what the model wrote, and what our parser reads in it.

    The run has to have asked for it: `agenteval run --raw-text`. `agenteval parsers check ENGINE:FAMILY --corpus DIR`
    then puts any parser under an exam of what your own model writes. Exit code 3 if no reply's raw text is known.
    """
    stored = load_run(find_run(run, out))
    spoken = _family(family, stored.manifest)
    with recalling(stored.manifest, spoken, values["base_url"], values["api_key"]) as words:
        record = record_run(stored, spoken, words)
    if not record.replies:
        raise EndpointError(_nothing(stored.manifest, record))
    chosen = [it for it in record.replies if not differing or it.agrees is None]
    made = anonymous_cases(chosen, spoken) if values["anonymous"] else cases(chosen, _about(stored.manifest))
    about = OTHER_WORDS if values["anonymous"] else f"Replies of run {stored.manifest.run}."
    written = write_cases(values["to"], spoken.name, about, made)
    render = render_json if values["as_json"] else render_record
    click.echo(render(record, [str(path) for path in written], len(made)), nl=False)
    return 0


def _family(wanted: str | None, manifest: Manifest) -> Family:
    name = wanted or manifest.endpoint.get("family")
    if name is None:
        raise UsageError(f"the run does not say which family its model is of: give --family ({', '.join(FAMILIES)})")
    if name not in FAMILIES:
        raise UsageError(f"no family is called {name!r}; there are: {', '.join(FAMILIES)}")
    return FAMILIES[name]


@contextmanager
def recalling(manifest: Manifest, family: Family, base_url: str | None, key: str | None) -> Iterator[Recalling | None]:
    """Whom to ask for what a recording does not hold; None without an endpoint."""
    if base_url is None:
        yield None
        return

    async def transport() -> HttpTransport:
        headers = (("authorization", f"Bearer {key}"),) if key else ()
        return HttpTransport(normalise_base_url(base_url), headers=headers)

    with asyncio.Runner() as runner:
        carrier = runner.run(transport())
        facts = manifest.endpoint
        retelling = Retelling(carrier, str(facts.get("dialect")), str(facts.get("model")), family)
        yield Recalling(retelling, runner)
        runner.run(carrier.aclose())


def _about(manifest: Manifest) -> str:
    endpoint = manifest.endpoint
    version = endpoint.get("server_version")
    server = " ".join(str(word) for word in (endpoint.get("dialect"), version) if word)
    simulated = ", simulated" if endpoint.get("simulated") else ""
    return f"Recorded of {endpoint.get('model')} ({server}{simulated})"


def _nothing(manifest: Manifest, record: Record) -> str:
    why = "; ".join(f"{number} times: {reason}" for reason, number in record.left.items()) or "it holds no reply"
    asked = bool(manifest.options.get("raw_text"))
    advice = "" if asked else "; run again with `agenteval run --raw-text`"
    return f"of no reply of run {manifest.run} is known what the model wrote ({why}){advice}"


def anonymous_cases(replies: Sequence[Recorded], family: Family) -> list[Case]:
    """The replies in other words; those that would be read otherwise then are left out, and told."""
    disguise, left = Disguise(family, Random(0)), 0
    made: list[Case] = []
    for recorded in replies:
        other = disguised(recorded.reading, disguise)
        if other is None:
            left += 1
        else:
            made.append(other.case(f"reply-{len(made) + 1}", "A recorded reply, in other words"))
    if left:
        tell(f"{left} replies cannot be put into other words without being read otherwise: left out.")
    return made


def write_cases(to: Path, family: str, about: str, made: Sequence[Case]) -> list[Path]:
    """Write cases as files of a corpus, named after what they hold. Raises UsageError."""
    written = []
    for start in range(0, len(made), CASES_IN_A_FILE):
        text = corpus_text(family, about, made[start : start + CASES_IN_A_FILE])
        path = to / family / f"recorded-{short_hash(text, 10)}.yaml"
        if not path.exists():
            write_new(path, text, "--to")
        written.append(path)
    return written
